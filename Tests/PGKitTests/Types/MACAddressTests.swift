import Testing

@testable import PGKit

/// The texts of MAC addresses, by the rules of the server's `macaddr_in` and `macaddr8_in`.
struct MACAddressTests {
  @Test(
    "reads the server's forms",
    arguments: [
      "08:00:2b:01:02:03", "08-00-2b-01-02-03", "08002b:010203", "08002b-010203", "0800.2b01.0203",
      "0800-2b01-0203", "08002b010203", "8:0:2b:1:2:3", "8-0-2B-1-2-3", "8:00:2b:001:02:03",
    ])
  func six(text: String) { #expect(PGMACAddress(text)?.description == "08:00:2b:01:02:03") }

  @Test(
    "reads eight bytes of two digits each",
    arguments: [
      "08:00:2b:01:02:03:04:05", "08-00-2b-01-02-03-04-05", "08002b:0102030405",
      "0800.2b01.0203.0405", "08002b01:02030405", "08002b0102030405",
    ])
  func eight(text: String) {
    #expect(PGMACAddress(text)?.description == "08:00:2b:01:02:03:04:05")
  }

  @Test(
    "refuses what is none, and never joins digits of different groups",
    arguments: [
      "", ":", "0:0:0:0:0:0:0:0:0:0:0:1", "08:00:2b:01:02:03:", "::::08002b010203",
      ":08:00:2b:01:02:03", "08:00:2b:01:02", "08:00:2b:01:02:100", "08:00:2b:01:02:0x3",
      "08:00-2b:01:02:03", "08.00.2b.01.02.03", "0800:2b01:0203", "08002b.010203", "08002b01020",
      "08:00:2b:01:02:03:04", "8:0:2b:1:2:3:4:5", "08:00:2b:01:02:03:04:05:06", "g8002b010203",
      "08002b0102030405ff", "0 8002b010203",
    ])
  func refused(text: String) { #expect(PGMACAddress(text) == nil) }
}
