import Glibc
import PGCommandLine
import Testing

@Suite struct OutputBufferTests {
  @Test("gathers pieces in order and hands them over in one write")
  func gathers() throws {
    var ends: [CInt] = [-1, -1]
    try #require(pipe(&ends) == 0)
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { close(ends[0]) }
    let output = StandardOutput(descriptor: ends[1], name: "o", buffering: .lineBuffered)
    var buffer = OutputBuffer()
    buffer.append("é")
    buffer.append(UInt8(ascii: "-"))
    buffer.append([0x31, 0x32])
    [UInt8(0x33), 0x0a].withUnsafeBytes { buffer.append($0) }
    #expect(buffer.bytes == Array("é-123\n".utf8))
    try buffer.drain(to: output)
    #expect(buffer.bytes.isEmpty)
    var received = [UInt8](repeating: 0, count: 100)
    #expect(read(ends[0], &received, received.count) == 7)
    #expect(received.prefix(7).elementsEqual("é-123\n".utf8))
    try output.finish()
  }

  @Test("tells when the output does not take it, and is empty then too")
  func failure() throws {
    let output = StandardOutput(
      descriptor: open("/dev/full", O_WRONLY), name: "o", buffering: .lineBuffered)
    var buffer = OutputBuffer()
    buffer.append("line\n")
    #expect(throws: StandardOutput.Failure(stream: "o", errno: ENOSPC)) {
      try buffer.drain(to: output)
    }
    #expect(buffer.bytes.isEmpty)
    #expect(throws: StandardOutput.Failure.self) { try output.finish() }
  }
}
