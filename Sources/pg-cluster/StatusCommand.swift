internal import ArgumentParser
internal import PGCommandLine
internal import PGKit

/// `pg-cluster status DIR`: the only verb that answers with `pg_ctl`'s numbers.
struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Say whether a cluster's server runs: 0 it does, 3 it does not, 4 no cluster.")

  private static let notRunning: Int32 = 3
  private static let noCluster: Int32 = 4

  @Argument(help: ArgumentHelp("The data directory.", valueName: "dir"))
  var directory: String

  func run() throws {
    let data = DataDirectory(directory)
    let status = try ClusterCommand.attempt { () throws(PGError) in try data.status() }
    switch status {
    case .running(let file):
      try answer("running, process \(file.processID), PostgreSQL \(data.version ?? "?")")
    case .stopped(let stale):
      let remark = stale.map { "; postmaster.pid is stale: \($0)" } ?? ""
      try answer("not running\(remark)", Self.notRunning)
    case .missing, .uninitialized: try answer("no cluster", Self.noCluster)
    }
  }

  private func answer(_ text: String, _ status: Int32 = 0) throws {
    try StandardOutput.shared.write(text + "\n")
    Program.end(rawStatus: status, program: ClusterCommand.program)
  }
}
