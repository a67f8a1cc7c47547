import Testing

@testable import PGKit

@Suite struct PasswordMessageTests {
  private func bytes(_ message: some FrontendMessage) -> [UInt8] {
    var writer = ByteWriter()
    message.encode(into: &writer)
    return writer.bytes
  }

  @Test("PasswordMessage ends its password with a zero byte")
  func password() {
    let message = PasswordMessage(password: Array("abc".utf8))
    #expect(bytes(message) == [0x70, 0, 0, 0, 8, 0x61, 0x62, 0x63, 0])
  }

  @Test("PasswordMessage shows its password to nobody")
  func redacted() {
    let message = PasswordMessage(password: Array("abc".utf8))
    var dumped = ""
    dump(message, to: &dumped)
    for text in ["\(message)", String(reflecting: message), dumped] {
      #expect(!text.contains("97") && !text.contains("abc"), "\(text)")
    }
  }

  @Test("SASLInitialResponse names the mechanism and counts its first message")
  func initial() {
    let message = SASLInitialResponse(mechanism: "X", response: [1, 2])
    #expect(bytes(message) == [0x70, 0, 0, 0, 12, 0x58, 0, 0, 0, 0, 2, 1, 2])
  }

  @Test("SASLInitialResponse writes -1 where there is no first message")
  func initialWithoutResponse() {
    let message = SASLInitialResponse(mechanism: "X", response: nil)
    #expect(bytes(message) == [0x70, 0, 0, 0, 10, 0x58, 0, 255, 255, 255, 255])
  }

  @Test("SASLResponse is the mechanism's bytes and nothing else")
  func response() {
    #expect(bytes(SASLResponse(response: [1, 2])) == [0x70, 0, 0, 0, 6, 1, 2])
  }
}
