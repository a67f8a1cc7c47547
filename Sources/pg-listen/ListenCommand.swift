internal import ArgumentParser
internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// `pg-listen [options] IRI CHANNEL…`: prints notifications as they arrive.
@main
struct ListenCommand: ParsableCommand {
  static let program = "pg-listen"

  static let examples = [
    "pg-listen pq://localhost/app jobs mail",
    "pg-listen \"$IRI\" done --count 1 --timeout 10m && echo finished",
    "pg-listen \"$IRI\" jobs | jq -r 'select(.event == \"notify\").payload'",
  ]

  static let configuration = Program.configuration(
    name: program,
    abstract: "Print the notifications of a server's channels as JSON lines.",
    discussion: """
      Each event is one JSON object on one line, written as it arrives. Channels are taken exactly as \
      they are written, in upper or lower case. When the connection is lost, the program ends with 2: \
      nothing is missed in silence.
      """,
    examples: examples)

  @Option(help: ArgumentHelp("End with 0 after this many events.", valueName: "n"))
  var count: Int?

  @Option(
    help: ArgumentHelp(
      "End with 4 when this time is over: 500ms, 10s, 2m, 1h.", valueName: "duration"))
  var timeout: DurationArgument?

  @Option(
    help: ArgumentHelp(
      "Write a newline to this descriptor and close it when listening has begun.", valueName: "fd"))
  var readyFD: ReadyDescriptor?

  @Flag(name: [.customShort("q"), .long], help: "Do not say on stderr that listening has begun.")
  var quiet = false

  @Argument(help: ArgumentHelp("Where to connect.", valueName: "iri"))
  var iri: String

  @Argument(help: ArgumentHelp("The channels to listen on.", valueName: "channel"))
  var channels: [String]

  static func main() {
    Interruptions.shared.install()
    Program.main(self, examples: examples)
  }

  func validate() throws {
    if let count, count < 1 { throw ValidationError("--count must be at least 1") }
    if let timeout, timeout.duration <= .zero {
      throw ValidationError("--timeout must be longer than 0")
    }
    try readyFD?.validate()
    if channels.contains("") { throw ValidationError("a channel has no name") }
  }

  func run() throws {
    var listener = Listener(self)
    try listener.run()
  }
}
