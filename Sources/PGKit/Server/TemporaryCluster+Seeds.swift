#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

// A seed is SQL that makes what every test begins with. It is run once, in a template that is kept
// under the contents of all seeds, and copied from then on.

extension TemporaryCluster {
  /// A file of SQL.
  struct Seed: Sendable {
    let path: String
    let text: String
  }

  /// A larger file is data rather than a script.
  private static let largestSeed = 256 << 20
  /// How long the server of a template may take to end in order.
  private static let stopPatience = Duration.seconds(60)

  static func read(_ paths: [String]) throws(PGError) -> [Seed] {
    var seeds: [Seed] = []
    for path in paths {
      do throws(SystemError) {
        let text = try OpenFile.text(of: path, limit: largestSeed + 1)
        guard text.utf8.count <= largestSeed else {
          throw SystemError(call: "read", number: EFBIG)
        }
        seeds.append(Seed(path: path, text: text))
      } catch {
        throw .clusterInitialization("could not read seed \"\(path)\": \(error.text)", cause: error)
      }
    }
    return seeds
  }

  /// The key of the template that grows from another one's.
  static func key(_ key: String, _ seeds: [Seed]) throws(PGError) -> String {
    var parts = [key]
    for seed in seeds {
      do {
        let digest = Hexadecimal.encode(try Digest.sha256(Array(seed.text.utf8)))
        parts.append("seed " + String(decoding: digest, as: UTF8.self))
      } catch {
        throw .clusterInitialization("could not digest seed \"\(seed.path)\"", cause: error)
      }
    }
    return parts.joined(separator: "\n")
  }

  /// Runs seeds in a data directory that no server runs in, and leaves it in order.
  func sow(_ seeds: [Seed], in data: String) throws(PGError) {
    let garden = Cluster(
      data, installation: cluster.installation, runAs: cluster.runAs, supervisor: supervisor)
    var options = Cluster.StartOptions()
    options.settings = Self.testSettings + Self.tidySettings
    options.socketDirectory = root.path
    options.logFile = root.path + "/seed.log"
    options.user = Self.superuser
    options.database = "postgres"
    try garden.start(options)
    var failure: PGError?
    do throws(PGError) {
      for seed in seeds { try run(seed, on: try garden.connectionOptions()) }
    } catch { failure = error }
    try garden.stop(failure == nil ? .fast : .immediate, wait: Self.stopPatience, force: true)
    if let failure { throw failure }
    try garden.shortenLog()
  }

  private func run(_ seed: Seed, on options: ConnectionOptions) throws(PGError) {
    let connection = try Connector(options).connect()
    defer { connection.close() }
    do throws(PGError) { try connection.execute(seed.text) } catch {
      throw .clusterInitialization(
        "seed \"\(seed.path)\" failed: \(error.message)",
        hint: "A seed is plain SQL; it may not use psql's commands or read from COPY.",
        cause: error)
    }
  }
}
