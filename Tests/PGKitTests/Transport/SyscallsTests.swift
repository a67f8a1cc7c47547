import Foundation
import PGErrorCodes
import Testing

@testable import PGKit

@Suite("Syscalls")
struct SyscallsTests {
  @Test("errors are told in English")
  func errorText() {
    #expect(SystemError(call: "connect", number: ECONNREFUSED).text == "Connection refused")
    #expect("\(SystemError(call: "stat", number: ENOENT))" == "stat: No such file or directory")
  }

  @Test("a wait ends at the deadline with nothing")
  func waitEnds() throws {
    let ends = try socketPair()
    defer { ends.forEach { close($0) } }
    let start = ContinuousClock.now
    let ready = try Syscalls.wait(for: ends[0], reading: true, until: .after(.milliseconds(30)))
    #expect(ready.isEmpty)
    #expect(ContinuousClock.now - start >= .milliseconds(30))
  }

  @Test("a wait tells what is ready, and only what was asked for")
  func waitTells() throws {
    let ends = try socketPair()
    defer { ends.forEach { close($0) } }
    let soon = Deadline.after(.seconds(5))
    #expect(try Syscalls.wait(for: ends[0], reading: true, writing: true, until: soon) == .writing)
    #expect(write(ends[1], [1], 1) == 1)
    #expect(
      try Syscalls.wait(for: ends[0], reading: true, writing: true, until: soon)
        == [.reading, .writing])
    #expect(try Syscalls.wait(for: ends[0], reading: true, until: soon) == .reading)
  }

  @Test("a second descriptor calls a wait off")
  func interruption() throws {
    let (ends, others) = (try socketPair(), try socketPair())
    defer { (ends + others).forEach { close($0) } }
    #expect(write(others[1], [1], 1) == 1)
    let ready = try Syscalls.wait(
      for: ends[0], reading: true, until: .never, alsoReading: others[0])
    #expect(ready == .interruption)
  }

  @Test("a third descriptor calls a wait off when its reader has gone, and only then")
  func outputHangUp() throws {
    let ends = try socketPair()
    defer { ends.forEach { close($0) } }
    var pipeEnds: [Int32] = [0, 0]
    try #require(pipe(&pipeEnds) == 0)
    for end in pipeEnds { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { close(pipeEnds[1]) }
    let file = try #require(fopen("/dev/null", "w"))
    defer { fclose(file) }
    for output in [pipeEnds[1], fileno(file)] {
      let ready = try Syscalls.wait(
        for: ends[0], reading: true, until: .after(.milliseconds(5)), orHangUpOf: output)
      #expect(ready.isEmpty)
    }
    close(pipeEnds[0])
    let ready = try Syscalls.wait(
      for: ends[0], reading: true, until: .never, orHangUpOf: pipeEnds[1])
    #expect(ready == .hangUp)
  }

  @Test("an output that can also be read does not call a wait off")
  func readableOutput() throws {
    let (ends, output) = (try socketPair(), try socketPair())
    defer { (ends + [output[0]]).forEach { close($0) } }
    #expect(write(output[1], [1], 1) == 1)
    let soon = Deadline.after(.milliseconds(5))
    #expect(try Syscalls.wait(for: ends[0], until: soon, orHangUpOf: output[0]).isEmpty)
    close(output[1])
    #expect(try Syscalls.wait(for: ends[0], until: .never, orHangUpOf: output[0]) == .hangUp)
  }

  @Test("a hang-up counts as readiness, so that the next call shows it")
  func hangUp() throws {
    let ends = try socketPair()
    defer { close(ends[0]) }
    close(ends[1])
    #expect(try Syscalls.wait(for: ends[0], reading: true, until: .never) == .reading)
  }

  @Test("waiting for a closed descriptor is an error, not an endless loop")
  func closed() throws {
    let ends = try socketPair()
    ends.forEach { close($0) }
    let error = #expect(throws: PGError.self) {
      // A number that no other test is given meanwhile.
      try Syscalls.wait(for: 100_000, reading: true, until: .never)
    }
    #expect(error?.code == .connectionDoesNotExist)
  }

  private func socketPair() throws -> [Int32] {
    var ends: [Int32] = [0, 0]
    // A process that another test starts meanwhile must not hold an end open.
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    try #require(socketpair(AF_UNIX, type, 0, &ends) == 0)
    return ends
  }
}
