import Glibc
import PGCommandLine
import Testing

@Suite struct StandardOutputTests {
  /// The ends of a pipe.
  struct Pipe {
    let reader: CInt
    let writer: CInt

    init() {
      var ends: [CInt] = [-1, -1]
      _ = pipe(&ends)
      for end in ends {
        _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        _ = fcntl(end, F_SETFL, O_NONBLOCK)
      }
      reader = ends[0]
      writer = ends[1]
    }

    /// What can be read now.
    func available() -> Int {
      var chunk = [UInt8](repeating: 0, count: 256 * 1024)
      return max(0, read(reader, &chunk, chunk.count))
    }
  }

  @Test("keeps blocks of 64 KiB back, and flushes when told")
  func blocks() throws {
    let pipe = Pipe()
    let output = StandardOutput(descriptor: pipe.writer, name: "o", buffering: .blockBuffered)
    try output.write("line\n")
    #expect(pipe.available() == 0)
    try output.flush()
    #expect(pipe.available() == 5)
    try output.write(String(repeating: "x", count: 64 * 1024 - 1))
    #expect(pipe.available() == 0)
    try output.write("x")
    #expect(pipe.available() == 64 * 1024)
    try output.finish()
  }

  @Test("writes each line at once when line-buffered")
  func lines() throws {
    let pipe = Pipe()
    let output = StandardOutput(descriptor: pipe.writer, name: "o", buffering: .lineBuffered)
    try output.write("half")
    #expect(pipe.available() == 0)
    try output.write(" line\n")
    #expect(pipe.available() == 10)
    try output.finish()
  }

  @Test("reports the first failure on every later call")
  func failure() throws {
    let descriptor = open("/dev/full", O_WRONLY)
    let output = StandardOutput(
      descriptor: descriptor, name: "report.csv", buffering: .blockBuffered)
    try output.write("x")
    let want = StandardOutput.Failure(stream: "report.csv", errno: ENOSPC)
    #expect(throws: want) { try output.flush() }
    #expect(throws: want) { try output.write("y") }
    #expect(throws: want) { try output.finish() }
    #expect(want.description == "report.csv: No space left on device")
  }

  @Test("closes its descriptor, even after a failure")
  func closesAfterFailure() throws {
    // Nothing can be written to a pipe's reading end; when it is closed, the other end hangs up.
    let pipe = Pipe()
    let output = StandardOutput(descriptor: pipe.reader, name: "o", buffering: .lineBuffered)
    let want = StandardOutput.Failure(stream: "o", errno: EBADF)
    #expect(throws: want) { try output.write("line\n") }
    let other = StandardOutput(descriptor: pipe.writer, name: "p", buffering: .lineBuffered)
    #expect(!other.isHungUp)
    #expect(throws: want) { try output.finish() }
    #expect(other.isHungUp)
    try other.finish()
  }

  @Test("takes nothing after it is finished, and finishes only once")
  func finished() throws {
    let pipe = Pipe()
    let output = StandardOutput(descriptor: pipe.writer, name: "o", buffering: .blockBuffered)
    try output.finish()
    try output.finish()
    #expect(throws: StandardOutput.Failure.self) { try output.write("x") }
  }

  @Test("notices that the reader has gone")
  func hangUp() throws {
    let pipe = Pipe()
    let output = StandardOutput(descriptor: pipe.writer, name: "o", buffering: .lineBuffered)
    #expect(!output.isHungUp)
    close(pipe.reader)
    #expect(output.isHungUp)
    try output.finish()
  }

  @Test("a pipe that gets much at once takes it without a reader")
  func widePipe() throws {
    let pipe = Pipe()
    _ = fcntl(pipe.writer, F_SETFL, 0)
    let output = StandardOutput(descriptor: pipe.writer, name: "o", buffering: .blockBuffered)
    // It would wait for a reader here if the pipe held 64 KiB, as it does at first.
    try output.write(String(repeating: "x", count: 200 * 1024))
    #expect(pipe.available() == 200 * 1024)
    try output.finish()
  }
}
