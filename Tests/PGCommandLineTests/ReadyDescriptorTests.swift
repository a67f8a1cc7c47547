import Glibc
import PGCommandLine
import Testing

@Suite struct ReadyDescriptorTests {
  private func pipeEnds() throws -> (reader: CInt, writer: CInt) {
    var ends: [CInt] = [-1, -1]
    try #require(pipe(&ends) == 0)
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
  }

  @Test("writes one newline and closes")
  func announces() throws {
    let (reader, writer) = try pipeEnds()
    defer { close(reader) }
    let ready = try #require(ReadyDescriptor(argument: "\(writer)"))
    try ready.validate()
    try ready.announce(program: "p")
    var bytes = [UInt8](repeating: 0, count: 10)
    #expect(read(reader, &bytes, 10) == 1)
    #expect(bytes[0] == UInt8(ascii: "\n"))
    // The end, because nobody holds the other end any more.
    #expect(read(reader, &bytes, 10) == 0)
  }

  @Test("does not mind that nobody waits any more")
  func nobodyWaits() throws {
    let (reader, writer) = try pipeEnds()
    close(reader)
    try #require(ReadyDescriptor(argument: "\(writer)")).announce(program: "p")
  }

  @Test("tells when it cannot be written")
  func full() throws {
    let full = open("/dev/full", O_WRONLY)
    let ready = try #require(ReadyDescriptor(argument: "\(full)"))
    let failure = #expect(throws: Failure.self) { try ready.announce(program: "p") }
    #expect(failure?.status == .localFailure)
    #expect(failure?.diagnostic?.message == "--ready-fd \(full): No space left on device")
  }

  @Test("refuses what was not given to the program, is read only, or is stdin or stdout")
  func refuses() throws {
    for text in ["", "x", "3x", "99999999999"] { #expect(ReadyDescriptor(argument: text) == nil) }
    let (reader, writer) = try pipeEnds()
    defer { [reader, writer].forEach { close($0) } }
    for number in [-1, 0, 1, reader, 1_000_000] {
      let ready = try #require(ReadyDescriptor(argument: "\(number)"))
      #expect(throws: (any Error).self, "\(number)") { try ready.validate() }
    }
  }
}
