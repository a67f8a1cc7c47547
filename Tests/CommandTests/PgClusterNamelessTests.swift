import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// Containers are often given a number to run as that has no name there, and initdb asks for one.
@Suite(
  "pg-cluster for users without a name",
  .enabled(if: geteuid() == 0 && TestServer.isAvailable, "needs root and a PostgreSQL server"))
struct PgClusterNamelessTests {
  /// A number that no system gives away.
  private static let number: uid_t = 543_210

  /// Runs what follows as root in a user namespace in which no other may be made.
  private static let withoutNamespaces = """
    here=$(readlink /proc/self/ns/user)
    unshare -U sh -c 'until [ "$(id -u)" = 0 ]; do sleep 0.02; done
      exec sh -c "echo 0 >/proc/sys/user/max_user_namespaces && exec \\"\\$@\\"" sh "$@"' sh "$@" &
    pid=$!
    while [ "$(readlink /proc/$pid/ns/user)" = "$here" ]; do sleep 0.02; done
    echo 0 0 1000000 >/proc/$pid/uid_map
    echo 0 0 1000000 >/proc/$pid/gid_map
    wait $pid
    """

  private func withoutNamespaces(
    _ line: [String], _ environment: [String: String]
  ) throws -> BuiltProgram.Outcome {
    try BuiltProgram(absolute: "/bin/sh").run(
      ["-c", Self.withoutNamespaces, "sh"] + line, environment: environment)
  }

  private static func asNumber(_ line: [String]) -> [String] {
    ["/usr/bin/setpriv", "--reuid=\(number)", "--regid=\(number)", "--clear-groups"] + line
  }

  /// What a command of `run` answers who asks the server, and looks whose its files are.
  private var question: [String] {
    [
      "run", "--", "sh", "-c",
      "\"\(BuiltProgram("pg-open").path)\" \"$PGKIT_IRI\" 'SELECT 40 + 2'; stat -c %u \"$PGHOST/data/base\"",
    ]
  }

  /// What the environment of a container says: next to nothing.
  private func bare(_ scene: ClusterScene) -> [String: String] {
    [
      "PATH": "/usr/bin:/bin", "HOME": "/nonexistent",
      "PGKIT_CLUSTER_HOME": scene.home + "/home",
    ]
  }

  @Test("a user without a name gets clusters, throwaway and lasting ones, from the first on")
  func caller() throws {
    let scene = try ClusterScene(account: Account(userID: Self.number))
    defer { scene.remove() }
    let copy = try PublicCopy(of: scene.program.path)
    defer { copy.remove() }
    let open = try PublicCopy(of: BuiltProgram("pg-open").path)
    defer { open.remove() }
    func run(_ arguments: [String]) throws -> BuiltProgram.Outcome {
      try BuiltProgram(absolute: "/usr/bin/setpriv").run(
        Array(Self.asNumber([copy.path] + arguments).dropFirst()), environment: bare(scene))
    }
    let throwaway = try run([
      "run", "--standby", "1", "--", "sh", "-c",
      "\(open.path) \"$PGKIT_IRI\" 'SELECT 40 + 2'; stat -c %u \"$PGHOST/data/base\"",
    ])
    #expect(throwaway.end == .exit(0), "\(throwaway.errors)")
    #expect(throwaway.lines == ["42", "\(Self.number)"])
    let data = scene.home + "/data"
    for verb in ["init", "start"] {
      let outcome = try run([verb, data])
      #expect(outcome.end == .exit(0), "\(verb): \(outcome.errors)")
    }
    defer { _ = try? run(["stop", "--mode", "immediate", data]) }
    let iri = try #require(try run(["url", data]).lines.first)
    let asked = try BuiltProgram(absolute: "/usr/bin/setpriv").run(
      Array(Self.asNumber([open.path, String(iri), "SELECT current_user"]).dropFirst()),
      environment: bare(scene))
    #expect(asked.lines == ["\(Self.number)"], "\(asked.errors)")
    // Who may not enter is not trusted either.
    let socket = try #require(try ConnectionOptions.parse(String(iri)).hosts?.first)
    #expect(
      try FileManager.default.attributesOfItem(atPath: socket + "/.s.PGSQL.5432")[
        .posixPermissions] as? Int == 0o700)
  }

  @Test("root runs a server as a number, and as the owner of a directory who has none")
  func numbers() throws {
    let scene = try ClusterScene()
    defer { scene.remove() }
    var arguments = question
    arguments.insert(contentsOf: ["--run-as", "\(Self.number)"], at: 1)
    let outcome = try scene.run(arguments)
    #expect(outcome.lines == ["42", "\(Self.number)"], "\(outcome.errors)")
    let data = scene.home + "/data"
    try FileManager.default.createDirectory(
      atPath: data, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    chown(data, Self.number, 7)
    for verb in ["init", "start", "stop", "drop"] {
      let outcome = try scene.run([verb, data])
      #expect(outcome.end == .exit(0), "\(verb): \(outcome.errors)")
    }
    for wrong in ["0", "4294967295", "4294967296", "nobody-at-all", ""] {
      let outcome = try scene.run(["run", "--run-as", wrong, "--", "true"])
      #expect(outcome.end == .exit(125), "\(wrong)")
    }
  }

  @Test("where no user namespaces may be made, root has another user make the files")
  func rootWithoutNamespaces() throws {
    let scene = try ClusterScene()
    defer { scene.remove() }
    var arguments = question
    arguments.insert(contentsOf: ["--run-as", "\(Self.number)"], at: 1)
    let outcome = try withoutNamespaces([scene.program.path] + arguments, scene.environment)
    #expect(outcome.lines == ["42", "\(Self.number)"], "\(outcome.errors)")
    try scene.waitUntilNothingIsHeld()
    #expect(try scene.leftovers().isEmpty)
    let data = scene.home + "/data"
    let made = try withoutNamespaces(
      [scene.program.path, "init", "--run-as", "\(Self.number)", data], scene.environment)
    #expect(made.end == .exit(0), "\(made.errors)")
    #expect(
      try FileManager.default.attributesOfItem(atPath: data + "/base")[.ownerAccountID] as? Int
        == Int(Self.number))
  }

  @Test("where no name can be lent, the message says what would help, and nothing is left")
  func refused() throws {
    let scene = try ClusterScene(account: Account(userID: Self.number))
    defer { scene.remove() }
    let copy = try PublicCopy(of: scene.program.path)
    defer { copy.remove() }
    let outcome = try withoutNamespaces(
      Self.asNumber([copy.path, "run", "--", "true"]), bare(scene))
    let hasWrapper = outcome.end == .exit(0)
    #expect(outcome.end == .exit(125) || hasWrapper)
    if !hasWrapper {
      #expect(outcome.errors.contains("user number \(Self.number) has no name here"))
      #expect(outcome.errors.contains("nss_wrapper"), "\(outcome.errors)")
    }
    #expect(try scene.leftovers().isEmpty)
  }
}
