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
        let bytes = try OpenFile(opening: path, O_RDONLY).read(limit: largestSeed + 1)
        guard bytes.count <= largestSeed else {
          throw SystemError(call: "read", number: EFBIG)
        }
        // Repaired, it would put other data into the database than the file has.
        guard let text = String(validating: bytes, as: UTF8.self) else {
          throw SystemError(call: "read", number: EILSEQ)
        }
        seeds.append(Seed(path: path, text: text))
      } catch {
        throw .clusterInitialization("could not read seed \"\(path)\": \(error.text)", cause: error)
      }
    }
    return seeds
  }

  /// The key of the template that grows from another one's.
  ///
  /// The settings under which the seeds run may decide about what they make.
  static func key(_ key: String, _ seeds: [Seed], _ options: Options) throws(PGError) -> String {
    var parts = [key] + seedSettings(options).map { "\($0.name)=\($0.value)" }
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
  func sow(_ seeds: [Seed], in data: String, _ making: Options) throws(PGError) {
    let garden = Cluster(
      data, installation: cluster.installation, runAs: cluster.runAs, supervisor: supervisor)
    var options = Cluster.StartOptions()
    options.settings = Self.seedSettings(making)
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

  private static func seedSettings(_ options: Options) -> [ConnectionOptions.Setting] {
    options.preset.settings + tidySettings + options.settings
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
