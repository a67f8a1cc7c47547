internal import ArgumentParser
internal import PGCommandLine
internal import PGKit

/// `pg-cluster temp`: a throwaway cluster that outlives this program.
struct TempCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "temp",
    abstract: "Make a throwaway cluster in the background, and print its IRI.",
    discussion: """
      It is removed when its owner is gone or its time is over, whichever comes first: \
      iri=$(pg-cluster temp --owner-pid $$) lives as long as the shell.
      """)

  @OptionGroup var throwaway: ThrowawayOptions

  @Option(
    name: .customLong("owner-pid"),
    help: ArgumentHelp("The process with whose end it ends.", valueName: "pid"))
  var owner: Int32?

  @Option(
    help: ArgumentHelp("How long it lives; without an owner one hour.", valueName: "duration"))
  var ttl: DurationArgument?

  @Option(help: ArgumentHelp("The scheme of the IRI: pq or postgres.", valueName: "scheme"))
  var scheme = IRIScheme.pq

  func validate() throws {
    if let owner, owner < 1 { throw ValidationError("--owner-pid must be a process's number") }
  }

  func run() throws {
    if let owner, !TemporaryCluster.mayOwn(owner) {
      throw ClusterCommand.failure(.localFailure, "--owner-pid: there is no process \(owner)")
    }
    let cluster = try ClusterCommand.attempt { () throws(PGError) in
      try throwaway.make()
    }
    do {
      let iri = try ClusterCommand.attempt { () throws(PGError) in
        try cluster.iri(scheme: scheme.rawValue)
      }
      try StandardOutput.shared.write(iri + "\n")
      try StandardOutput.shared.flush()
      try ClusterCommand.attempt { () throws(PGError) in
        try cluster.handOver(
          owner: owner, lifetime: ttl?.duration ?? (owner == nil ? .seconds(3600) : nil))
      }
    } catch {
      try ClusterCommand.attempt { () throws(PGError) in try cluster.close() }
      throw error
    }
  }
}
