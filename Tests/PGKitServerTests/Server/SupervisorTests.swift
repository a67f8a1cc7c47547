import Foundation
import Testing

@testable import PGKit

@Suite("Supervisor")
struct SupervisorTests {
  private let folder: DirectoryIdentity

  init() throws {
    folder = try .makeUnique(under: "/tmp", owner: nil)
    try "x".write(toFile: folder.path + "/file", atomically: false, encoding: .utf8)
  }

  private func sleeper(_ supervisor: Supervisor? = nil) throws -> ChildProcess {
    try start("/bin/sleep", ["60"], supervisor)
  }

  /// A launch holds its supervisor, so it must not outlive the start.
  private func start(
    _ program: String, _ arguments: [String], _ supervisor: Supervisor?
  ) throws -> ChildProcess {
    var launch = ProcessLaunch(
      program, arguments, environment: ["PATH": "/usr/bin:/bin"])
    launch.supervisor = supervisor
    return try launch.start()
  }

  private func expectGone() {
    let deadline = Deadline.after(.seconds(10))
    while folder.isThere, !deadline.hasPassed { usleep(10_000) }
    #expect(!folder.isThere)
  }

  @Test("ends what was announced and removes the directory when its socket ends")
  func socketEnds() throws {
    var supervisor: Supervisor? = try Supervisor(removing: [folder])
    let child = try sleeper(supervisor)
    #expect(child.wait(until: .after(.milliseconds(100))) == nil)
    supervisor = nil
    #expect(child.wait(until: .after(.seconds(10))) == .signalled(SIGQUIT))
    expectGone()
  }

  @Test(
    "is nobody's child, so that whoever waits for any child does not meet it",
    .enabled(
      if: FileManager.default.fileExists(atPath: "/proc/thread-self/children"),
      "this system does not list a thread's children"))
  func notAChild() throws {
    defer { try? folder.remove() }
    let before = try children()
    let supervisor = try Supervisor(removing: [folder])
    #expect(try children().subtracting(before).isEmpty)
    supervisor.disarm()
    #expect(try children().subtracting(before).isEmpty)
  }

  /// The children of the thread that asks, ended or not.
  private func children() throws -> Set<Substring> {
    try Set(OpenFile.text(of: "/proc/thread-self/children").split(separator: " "))
  }

  @Test("touches nothing once it is disarmed")
  func disarmed() throws {
    defer { try? folder.remove() }
    let supervisor = try Supervisor(removing: [folder])
    let child = try sleeper(supervisor)
    supervisor.disarm()
    supervisor.disarm()
    #expect(child.wait(until: .after(.milliseconds(200))) == nil)
    #expect(folder.isThere)
    try child.send(SIGKILL)
    _ = child.wait()
  }

  @Test("kills what does not heed it", .timeLimit(.minutes(1)))
  func stubborn() throws {
    var supervisor: Supervisor? = try Supervisor(removing: [folder])
    let child = try start(
      "/bin/sh", ["-c", "trap '' QUIT; while :; do sleep 1; done"], supervisor)
    usleep(200_000)
    supervisor = nil
    #expect(child.wait(until: .after(.seconds(20))) == .signalled(SIGKILL))
    expectGone()
  }

  @Test("after it was handed over, waits for the owner")
  func owner() throws {
    let owner = try sleeper()
    let supervisor = try Supervisor(removing: [folder])
    let server = try sleeper(supervisor)
    try supervisor.handOver(owner: owner.pid, lifetime: nil)
    #expect(server.wait(until: .after(.milliseconds(200))) == nil)
    #expect(folder.isThere)
    try owner.send(SIGKILL)
    #expect(owner.wait() == .signalled(SIGKILL))
    #expect(server.wait(until: .after(.seconds(10))) == .signalled(SIGQUIT))
    expectGone()
  }

  @Test("acts at once for an owner who is gone already")
  func lateOwner() throws {
    let owner = try sleeper()
    try owner.send(SIGKILL)
    _ = owner.wait()
    try Supervisor(removing: [folder]).handOver(owner: owner.pid, lifetime: nil)
    expectGone()
  }

  @Test("refuses numbers that stand for other processes than a command's group")
  func senselessCommand() throws {
    var supervisor: Supervisor? = try Supervisor(removing: [folder])
    var launch = ProcessLaunch("/bin/sleep", ["60"], environment: [:])
    launch.group = .own(terminal: nil)
    let (command, other) = (try launch.start(), try launch.start())
    supervisor?.guardCommand(command.pid)
    supervisor?.guardCommand(-other.pid)
    supervisor = nil
    #expect(command.wait(until: .after(.seconds(10))) == .signalled(SIGTERM))
    #expect(other.wait(until: .after(.milliseconds(200))) == nil)
    try other.send(SIGKILL)
    _ = other.wait()
    expectGone()
  }

  @Test("after it was handed over, ends when the time is over or the server is gone")
  func lifetime() throws {
    let supervisor = try Supervisor(removing: [folder])
    let server = try sleeper(supervisor)
    try supervisor.handOver(owner: nil, lifetime: 1)
    #expect(server.wait(until: .after(.milliseconds(300))) == nil)
    #expect(server.wait(until: .after(.seconds(10))) == .signalled(SIGQUIT))
    expectGone()
  }

  @Test("after it was handed over, clears up after a server that ended by itself")
  func serverEnds() throws {
    let supervisor = try Supervisor(removing: [folder])
    let server = try sleeper(supervisor)
    try supervisor.handOver(owner: nil, lifetime: 60)
    try server.send(SIGKILL)
    _ = server.wait()
    expectGone()
  }

  @Test("leaves a directory alone that took the place of the one it guards")
  func replaced() throws {
    let other = try DirectoryIdentity.makeUnique(under: "/tmp", owner: nil)
    var supervisor: Supervisor? = try Supervisor(removing: [folder, other])
    rename(folder.path, folder.path + "-aside")
    mkdir(folder.path, 0o700)
    let child = try sleeper(supervisor)
    supervisor = nil
    #expect(child.wait(until: .after(.seconds(10))) == .signalled(SIGQUIT))
    let deadline = Deadline.after(.seconds(10))
    while other.isThere, !deadline.hasPassed { usleep(10_000) }
    #expect(!other.isThere)
    #expect(rmdir(folder.path) == 0)
    #expect(unlink(folder.path + "-aside/file") == 0)
    #expect(rmdir(folder.path + "-aside") == 0)
  }
}
