internal import ArgumentParser
internal import Glibc
internal import PGCommandLine
internal import PGKit

/// `pg-cluster list`.
struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Print your clusters, one a line, throwaway ones first.",
    discussion: """
      A throwaway cluster is held while its maker or its supervisor lives, kept if it was told to \
      stay, and otherwise abandoned: gc removes it. Others are on the list once pg-cluster has made \
      or started them; they are running or stopped.
      """)

  @Flag(help: "Print one JSON array.")
  var json = false

  func run() throws {
    let (clusters, standing) = try ClusterCommand.attempt { () throws(PGError) in
      (try ThrowawayCluster.all(), try StandingCluster.all())
    }
    let lines =
      clusters.map { json ? jsonText($0) : line($0) }
      + standing.map { json ? jsonText($0) : line($0) }
    try StandardOutput.shared.write(
      json ? "[" + lines.joined(separator: ",\n ") + "]\n" : lines.map { $0 + "\n" }.joined())
  }

  private func state(_ cluster: ThrowawayCluster) -> String {
    if cluster.isKept { return "kept" }
    return cluster.isHeld ? "held" : "abandoned"
  }

  private func server(_ data: DataDirectory) -> PostmasterFile? {
    if case .running(let file)? = try? data.status() { return file }
    return nil
  }

  private func line(_ cluster: ThrowawayCluster) -> String {
    line(cluster.directory, state(cluster), server(cluster.dataDirectory), cluster.version)
  }

  private func line(_ data: DataDirectory) -> String {
    let server = server(data)
    return line(data.path, server == nil ? "stopped" : "running", server, data.version)
  }

  private func line(
    _ directory: String, _ state: String, _ server: PostmasterFile?, _ version: String?
  ) -> String {
    let process = server.map { "server \($0.processID)" } ?? "no server"
    return [directory, state, process, version.map { "PostgreSQL \($0)" } ?? ""]
      .joined(separator: "\t")
  }

  private func jsonText(_ data: DataDirectory) -> String {
    let server = server(data)
    let texts = [
      ("kind", "standing"), ("directory", data.path),
      ("state", server == nil ? "stopped" : "running"), ("version", data.version ?? ""),
    ]
    return object(
      texts,
      [("server", server.map { Int64($0.processID) }), ("port", server?.port.map { Int64($0) })])
  }

  private func object(_ texts: [(String, String)], _ numbers: [(String, Int64?)]) -> String {
    let parts =
      texts.map { "\"\($0.0)\": \(JSONText.quoted($0.1))" }
      + numbers.map { "\"\($0.0)\": \($0.1.map(String.init) ?? "null")" }
    return "{" + parts.joined(separator: ", ") + "}"
  }

  private func jsonText(_ cluster: ThrowawayCluster) -> String {
    let numbers: [(String, Int64?)] = [
      ("server", server(cluster.dataDirectory).map { Int64($0.processID) }),
      ("maker", cluster.maker.map { Int64($0) }),
      ("owner", cluster.owner.map { Int64($0) }), ("made", cluster.made),
      ("lifetime", cluster.lifetime),
    ]
    let texts = [
      ("kind", "throwaway"), ("directory", cluster.directory), ("state", state(cluster)),
      ("version", cluster.version ?? ""),
    ]
    return object(texts, numbers)
  }
}

/// `pg-cluster gc`.
struct GCCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gc",
    abstract: "Remove throwaway clusters that nobody looks after, and templates long unused.",
    discussion: """
      Every start of a throwaway cluster does this too, for a twentieth of a second. Removed is \
      only what is on record and still the same; the rest is said on stderr, and the status is 1.
      """)

  @Flag(help: "Say what would be removed; remove nothing.")
  var dryRun = false

  func run() throws {
    let found = try ClusterCommand.attempt { () throws(PGError) in
      try ThrowawayCluster.collect(isTrial: dryRun)
    }
    var skipped = 0
    for (directory, outcome) in found {
      switch outcome {
      case .removed(let processes):
        let remark = processes > 0 ? ", with \(processes) processes" : ""
        ClusterCommand.note("removed \(directory)\(remark)")
      case .removable: ClusterCommand.note("would remove \(directory)")
      case .skipped(let reason):
        skipped += 1
        ClusterCommand.note("skipped \(directory): \(reason)")
      }
    }
    let templates = TemporaryCluster.removeUnusedTemplates(isTrial: dryRun)
    if templates > 0 {
      ClusterCommand.note("\(dryRun ? "would remove" : "removed") \(templates) unused templates")
    }
    if skipped > 0 {
      throw ClusterCommand.failure(.localFailure, "\(skipped) clusters could not be removed")
    }
  }
}
