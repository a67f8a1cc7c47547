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

  @Test("a writer copies values of every length and finds a mark at each place")
  func copies() {
    for size in 0...70 {
      for place in -1..<size {
        var value = (0..<size).map { UInt8(truncatingIfNeeded: 0x61 + $0 % 20) }
        if place >= 0 { value[place] = UInt8(ascii: ",") }
        var buffer = OutputBuffer()
        buffer.append("before ")
        var found = false
        buffer.write(atMost: size + 2) { writer in
          writer.put(UInt8(ascii: "<"))
          found = value.withUnsafeBytes { value in
            writer.put(value) { $0.marking(UInt8(ascii: ",")).hasMark }
          }
          writer.put(UInt8(ascii: ">"))
          #expect(writer.count == size + 2)
        }
        #expect(found == (place >= 0))
        #expect(buffer.bytes == Array("before <".utf8) + value + Array(">".utf8))
      }
    }
  }

  @Test("a mark is what it is said to be, for each byte at each place")
  func marks() {
    for byte in UInt8.min...UInt8.max {
      for place in 0..<16 {
        var value = [UInt8](repeating: 0x61, count: 16)
        value[place] = byte
        let words = value.withUnsafeBytes { $0.loadUnaligned(as: RoomWriter.Words.self) }
        #expect(words.marking(0x22).hasMark == (byte == 0x22))
        #expect(words.markingBelow(0x0E).hasMark == (byte < 0x0E))
      }
    }
  }

  @Test("what is taken back was not written")
  func takesBack() {
    var buffer = OutputBuffer()
    buffer.write(atMost: 3) { writer in
      [1, 2, 3 as UInt8].withUnsafeBytes { writer.put($0) }
      writer.takeBack(2)
      writer.put(9)
    }
    #expect(buffer.bytes == [1, 9])
    buffer.write(atMost: 0) { _ in }
    #expect(buffer.count == 2)
  }
}
