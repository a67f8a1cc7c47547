internal import ArgumentParser
internal import Glibc
internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// `pg-listen [options] IRI CHANNEL…`: prints notifications as they arrive.
@main
struct ListenCommand: ParsableCommand {
  static let program = "pg-listen"

  static let examples = [
    "pg-listen pq://localhost/app jobs mail",
    "pg-listen \"$IRI\" done --until '.payload==\"ok\"' --timeout 10m && echo finished",
    "pg-listen \"$IRI\" jobs | jq -r 'select(.event == \"notify\").payload'",
  ]

  static let configuration = Program.configuration(
    name: program,
    abstract: "Print the notifications of a server's channels as JSON lines.",
    discussion: """
      Each event is one JSON object on one line, written as it arrives. Channels are taken exactly as \
      they are written, in upper or lower case. IRI is pq://…, postgres://…, or key=value pairs; \
      without one the environment (PGKIT_IRI, PGHOST, …) says where to connect. A connection that is \
      lost is made again, and a line {"event":"gap",…} with the reason stands before the first event \
      after it: nothing is missed in silence. SIGUSR1 prints a line about the run on stderr. Tables for \
      --durable are prepared, and their consumers shown, by verbs: see 'pg-listen help durable'.
      """,
    examples: examples)

  // MARK: Where

  @Option(
    help: ArgumentHelp(
      "Listen there, too; may be repeated. All operands are channels then.", valueName: "iri"))
  var on: [String] = []

  @Flag(help: "Fold channels to lower case, as SQL does without quotes.")
  var fold = false

  // MARK: What is printed

  @Option(help: "How events are printed.")
  var format = EventFormat.json

  @Option(
    help: """
      Where lines that are no events go (ready, gap, dropped, overflow). By default inline for json, else \
      to stderr.
      """)
  var events: ControlEvents?

  @Option(
    name: .customLong("from-pid"),
    help: ArgumentHelp("Print only the events of this server process.", valueName: "pid"))
  var fromPID: Int32?

  @Flag(name: .customLong("no-self"), help: "Leave out what the program itself notifies.")
  var leavesOutOwn = false

  @Flag(help: "Print a payload that is JSON as the member \"json\", too.")
  var parse = false

  @OptionGroup var held: GatheringOptions

  @Option(
    help: ArgumentHelp(
      "How much may wait for a slow reader; no line of a command's may be longer.",
      valueName: "bytes"))
  var buffer = ByteCountArgument(bytes: 64 << 20)

  @Option(
    help: """
      What becomes of more: drop the oldest and say so (default), fail, or block. Rows of --durable are \
      never dropped: that is block.
      """)
  var onOverflow: PendingOutput.Overflow?

  // MARK: When it ends

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "End with 0 after this many events, not counting those that were dropped.", valueName: "n"))
  var count: Int?

  @Option(
    help: ArgumentHelp(
      "End with 0 at an event like this: .payload==\"ok\" or .channel==\"x\". Repeated, all must hold.",
      valueName: "condition"))
  var until: [UntilCondition] = []

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "End with 4 when this time is over: 500ms, 10s, 2m, 1h.", valueName: "duration"))
  var timeout: DurationArgument?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("End with 4 when no event has come for so long.", valueName: "duration"))
  var idleTimeout: DurationArgument?

  @Flag(help: "End with 0 as soon as everything that has arrived is printed.")
  var drain = false

  @Flag(help: "End with 0 when a signal asks for it, after what has arrived is seen to.")
  var graceful = false

  // MARK: Connecting again

  @Option(
    help: ArgumentHelp(
      "Try the first connection for so long; by default once.", valueName: "duration"))
  var wait: DurationArgument?

  @Option(
    help: ArgumentHelp(
      "End with 2 after so long without a connection; by default never. 0 does not connect again.",
      valueName: "duration"))
  var maxDowntime: DurationArgument?

  @Flag(help: "Connect again also after a refused login or a missing database.")
  var retryAll = false

  @Option(
    help: ArgumentHelp(
      "How often to make sure that notifications arrive; 0 is never.", valueName: "duration"))
  var heartbeat = DurationArgument(seconds: 30)

  @Option(
    help: ArgumentHelp("How soon that must be known.", valueName: "duration"))
  var heartbeatTimeout = DurationArgument(seconds: 5)

  // MARK: When it begins

  @Option(
    help: ArgumentHelp(
      """
      Run this by the shell whenever listening has begun; its output comes before the events, which \
      are received and kept while it runs.
      """, valueName: "command"))
  var onReady: String?

  @Option(
    name: .customLong("on-ready-sql"),
    help: ArgumentHelp(
      """
      Run this whenever listening has begun; its rows come before the events, as JSON on stdout \
      whatever --events and --format are.
      """, valueName: "sql"))
  var onReadySQL: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Write a newline to this descriptor and close it when listening has begun.", valueName: "fd"))
  var readyFD: ReadyDescriptor?

  @Flag(name: [.customShort("q"), .long], help: "Do not say on stderr that listening has begun.")
  var quiet = false

  // MARK: Commands

  @Flag(
    help: """
      Run what stands after -- for each event, its payload on stdin, and print nothing of the event; \
      PGKIT_CHANNEL, PGKIT_PID (of a row PGKIT_ID and PGKIT_STORED_AT), PGKIT_SEQ, PGKIT_COUNT, PGKIT_SOURCE \
      and PGKIT_EVENT are in its environment. One that is not found is a failure before anything is \
      listened to.
      """)
  var exec = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "How many run at once: 1, which keeps their order, unless this says more.", valueName: "n"))
  var maxParallel: Int?

  @Option(
    help: ArgumentHelp(
      "What follows when a command fails: continue (default), stop (with --durable), or retry:N times.",
      valueName: "policy"))
  var onFail: FailurePolicy?

  // MARK: Rows of a table

  @OptionGroup var durable: DurableOptions

  // MARK: Sending

  @Option(
    help: ArgumentHelp(
      """
      Do not listen: notify this channel. The operand after the IRI is the payload, - for stdin without \
      its last newline.
      """,
      valueName: "channel"))
  var notify: String?

  @Argument(help: ArgumentHelp("Where to connect, and the channels.", valueName: "iri channel"))
  var operands: [String] = []

  static func main() {
    StatusSignal.shared.install(program: program)
    Interruptions.shared.install()
    if isVerb { Program.main(VerbCommand.self) }
    if Program.writesCompletion { Program.main(WholeCommand<Self, VerbCommand>.self) }
    Program.main(self, examples: examples)
  }

  /// Whether the first words are a verb: the parser would take them for channels, as it does any word.
  private static var isVerb: Bool {
    var words = CommandLine.arguments.dropFirst()
    if words.first == "help" { words = words.dropFirst() }
    guard words.first == "durable" else { return false }
    let second = words.dropFirst().first
    return ["install", "status", "--help", "-h", nil].contains(second)
  }

  func run() throws {
    if let notify {
      let deadline = timeout.map { Deadline.after($0.duration) } ?? .never
      let (iris, payload) = places
      let sending = try Notifying(
        channel: fold ? Self.folded(notify) : notify, payload: payload.first ?? "")
      for iri in iris { try sending.run(on: iri, until: deadline) }
    } else {
      let listener = try Listener(self)
      if exec, geteuid() == 0 { warnOfRoot() }
      // What has arrived is printed first, commands that run hear of it, rows are acknowledged.
      guard Interruptions.shared.beginLastStep(telling: { listener.wake() }) else {
        Signals.endProcess(by: Interruptions.shared.signal ?? SIGTERM)
      }
      try Interruptions.shared.duringWork {
        try listener.run()
        if graceful { Program.end(.ok, program: Self.program) }
      }
    }
  }

  private func warnOfRoot() {
    Diagnostic(
      program: Self.program, severity: .warning,
      message: "commands run as root, with payloads that anybody who may connect can send"
    ).print()
  }

  /// What becomes of events for which there is no room: of rows, none is lost.
  var overflow: PendingOutput.Overflow { durable.table == nil ? onOverflow ?? .drop : .block }

  /// What follows when a command fails.
  var failurePolicy: FailurePolicy { onFail ?? (durable.table == nil ? .goOn : .stop) }

  /// What holds events back, if that is wanted.
  var gathering: EventGathering? {
    guard held.isWanted else { return nil }
    return EventGathering(
      pause: held.debounce?.duration ?? .zero, part: held.coalesce ?? .channel,
      limit: buffer.bytes)
  }

  /// A number and what is counted, as in `1 event` and `2 events`.
  static func counted(_ count: Int, _ thing: String) -> String {
    "\(count) \(thing)\(count == 1 ? "" : "s")"
  }

  /// A failure of its own.
  static func failure(_ message: String) -> Failure {
    Failure(.localFailure, Diagnostic(program: program, message: message))
  }

  /// What a source does.
  func plan(_ iri: String?, _ channels: [String]) -> SourceThread.Plan {
    // Twice in the time that systemd's watchdog allows.
    let most = ServiceNotifier.watchdogInterval.map { $0 / 2 } ?? heartbeat.duration
    let interval = min(heartbeat.duration, most)
    return SourceThread.Plan(
      iri: iri, channels: channels,
      heartbeat: interval > .zero
        ? Heartbeat(interval: interval, limit: heartbeatTimeout.duration) : nil,
      retry: RetryPolicy(triesAll: retryAll), firstWait: wait?.duration,
      maximumDowntime: maxDowntime?.duration,
      hook: ReadyHook(command: onReady, query: onReadySQL, lineLimit: buffer.bytes),
      sender: fromPID,
      leavesOutOwn: leavesOutOwn, durable: durable.plan(channels))
  }
}
