internal import ArgumentParser
internal import Glibc
internal import PGCommandLine
internal import PGKit

/// `pg-cluster temp`: a throwaway cluster that outlives this program.
struct TempCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "temp",
    abstract: "Make a throwaway cluster in the background, and print its IRI.",
    discussion: """
      It is removed when its owner is gone, its time is over or nobody was connected for long, \
      whichever comes first: iri=$(pg-cluster temp --owner-pid $$) lives as long as the shell. A program \
      gives it the reading end of a pipe, as --owner-fd, and keeps the other end.
      """)

  @OptionGroup var throwaway: ThrowawayOptions

  @Option(
    name: .customLong("owner-pid"),
    help: ArgumentHelp("The process with whose end it ends.", valueName: "pid"))
  var owner: Int32?

  @Option(
    name: .customLong("owner-fd"),
    help: ArgumentHelp(
      "A pipe or socket that this program inherits, with whose end it ends.", valueName: "number"))
  var stream: Int32?

  @Option(
    help: ArgumentHelp(
      "How long it lives; without an owner and --idle as long as PGKIT_CLUSTER_TTL says, or one hour.",
      valueName: "duration"))
  var ttl: DurationArgument?

  @Option(help: ArgumentHelp("How long nobody may be connected.", valueName: "duration"))
  var idle: DurationArgument?

  @Option(help: ArgumentHelp("The scheme of the IRI: pq or postgres.", valueName: "scheme"))
  var scheme = IRIScheme.pq

  func validate() throws {
    if let owner, owner < 1 { throw ValidationError("--owner-pid must be a process's number") }
    if let ttl, ttl.duration <= .zero { throw ValidationError("--ttl must be more than nothing") }
    if let idle, idle.duration <= .zero {
      throw ValidationError("--idle must be more than nothing")
    }
    if let stream, !Self.isStream(stream) {
      throw ValidationError("--owner-fd: descriptor \(stream) is no pipe or socket to read from")
    }
    if ttl == nil, owner == nil, stream == nil, idle == nil { _ = try Self.usualLifetime() }
  }

  /// Whether a descriptor has another end, which this program sees the end of.
  private static func isStream(_ descriptor: Int32) -> Bool {
    var facts = stat()
    guard fstat(descriptor, &facts) == 0, fcntl(descriptor, F_GETFL) & O_ACCMODE != O_WRONLY else {
      return false
    }
    return [S_IFIFO, S_IFSOCK].contains(facts.st_mode & S_IFMT)
  }

  /// How long a cluster lives of which nothing was said.
  private static func usualLifetime() throws -> Duration {
    guard let text = getenv("PGKIT_CLUSTER_TTL").map({ String(cString: $0) }), !text.isEmpty
    else { return .seconds(3600) }
    guard let argument = DurationArgument(argument: text) else {
      throw ValidationError("PGKIT_CLUSTER_TTL is no duration: '\(text)'; write 90s, 10m or 2h")
    }
    if argument.duration <= .zero {
      throw ValidationError("PGKIT_CLUSTER_TTL must be more than nothing")
    }
    return argument.duration
  }

  func run() throws {
    if let owner, !TemporaryCluster.mayOwn(owner) {
      throw ClusterCommand.failure(.localFailure, "--owner-pid: there is no process \(owner)")
    }
    let isBounded = ttl != nil || owner != nil || stream != nil || idle != nil
    let lifetime = isBounded ? ttl?.duration : try Self.usualLifetime()
    let cluster = try ClusterCommand.attempt { () throws(PGError) in
      try throwaway.make(endingWith: stream)
    }
    do {
      let iri = try ClusterCommand.attempt { () throws(PGError) in
        try cluster.iri(scheme: scheme.rawValue)
      }
      try StandardOutput.shared.write(iri + "\n")
      try StandardOutput.shared.flush()
      try ClusterCommand.attempt { () throws(PGError) in
        try cluster.handOver(owner: owner, lifetime: lifetime, idle: idle?.duration)
      }
    } catch {
      try ClusterCommand.attempt { () throws(PGError) in try cluster.close() }
      throw error
    }
  }
}
