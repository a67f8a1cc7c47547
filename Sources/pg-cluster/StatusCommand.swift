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

  @Flag(help: "Print one JSON object.")
  var json = false

  @Argument(help: ArgumentHelp("The data directory.", valueName: "dir"), completion: .directory)
  var place: DirectoryArgument

  private var directory: String { place.path }

  func run() throws {
    let data = DataDirectory(ClusterArgument.dataDirectory(of: directory))
    let status = try ClusterCommand.attempt { () throws(PGError) in try data.status() }
    if json { try answerJSON(data, status) }
    switch status {
    case .running(let file):
      try answer("running, process \(file.processID), PostgreSQL \(data.version ?? "?")")
    case .stopped(let stale):
      let remark = stale.map { "; postmaster.pid is stale: \($0)" } ?? ""
      try answer("not running\(remark)", Self.notRunning)
    case .missing, .uninitialized: try answer("no cluster", Self.noCluster)
    }
  }

  private func answerJSON(_ data: DataDirectory, _ status: DataDirectory.Status) throws {
    var fields = [("directory", JSONText.quoted(data.path))]
    if let version = data.version { fields.append(("version", JSONText.quoted(version))) }
    func number<Number: BinaryInteger>(_ value: Number?) -> String {
      value.map { "\($0)" } ?? "null"
    }
    func text(_ value: String?) -> String { value.map { JSONText.quoted($0) } ?? "null" }
    let (state, code): (String, Int32) =
      switch status {
      case .running: ("running", 0)
      case .stopped: ("stopped", Self.notRunning)
      case .missing: ("missing", Self.noCluster)
      case .uninitialized: ("uninitialized", Self.noCluster)
      }
    fields.append(("state", JSONText.quoted(state)))
    if case .stopped(let stale) = status { fields.append(("stale", text(stale))) }
    if case .running(let file) = status {
      fields += [
        ("pid", number(file.processID)), ("started", number(file.startTime)),
        ("port", number(file.port)), ("socket_directory", text(file.socketDirectory)),
        ("listen_address", text(file.listenAddress)), ("server_state", text(file.state?.rawValue)),
      ]
    }
    try answer("{" + fields.map { "\"\($0.0)\": \($0.1)" }.joined(separator: ", ") + "}", code)
  }

  private func answer(_ text: String, _ status: Int32 = 0) throws {
    try StandardOutput.shared.write(text + "\n")
    Program.end(rawStatus: status, program: ClusterCommand.program)
  }
}
