import Foundation
import Testing

@testable import PGKit

@Suite struct PasswordFileTests {
  /// What is done as libpq does it, where py-postgresql did otherwise.
  private static let different: [String: String] = [
    // What follows the fifth field is not part of it, and does not spoil the line.
    "split h:1:d:u:p:x": "[h, 1, d, u, p]",
    "split [::1]:5432:d:u:p": "[[, , 1], 5432, d]",
    "split h:1:d:u:p\\x": "[h, 1, d, u, px]",
    // Blanks belong to the fields.
    "split   h:1:d:u:p  ": "[  h, 1, d, u, p  ]",
    // A line that begins with # is a comment.
    "split #h:1:d:u:p": "null",
  ]

  @Test("reads what py-postgresql reads, but for the deviations that are named")
  func vectors() throws {
    var deviations = Set(Self.different.keys)
    let cases = try RecordedCase.all("pgpass")
    #expect(cases.count == 35)
    for vector in cases {
      deviations.remove(vector.name)
      let expected = Self.different[vector.name] ?? RecordedCase.describe(vector.expected)
      // The one recorded error: a socket was not looked up at all.
      let isSocket = vector.fails && vector.op == "lookup_pgpass"
      #expect(try outcome(vector) == (isSocket ? "null" : expected), "\(vector.name)")
    }
    #expect(deviations.isEmpty)
  }

  private func outcome(_ vector: RecordedCase) throws -> String {
    switch vector.op {
    case "split":
      let entry = PasswordFile.entry(ArraySlice(try vector.text.utf8))
      return RecordedCase.describe(entry.map(fields))
    case "parse":
      let entries = PasswordFile(parsing: Array(try vector.text.utf8)).entries
      // Recorded as an entry, but a comment here.
      let comment: [[Any]] =
        try vector.text.contains("\n# host")
        ? [["password1", ["# host", "1111", "dbname", "user"]]] : []
      return RecordedCase.describe(
        comment + entries.map { [$0.password, Array(fields($0).prefix(4))] as [Any] })
    case "lookup":
      let file = try #require(vector.fields["file"] as? String)
      let key = try #require(vector.fields["key"] as? [String])
      let password = PasswordFile(parsing: Array(file.utf8))
        .password(host: key[1], port: key[2], database: key[3], user: key[0])
      return RecordedCase.describe(password)
    default:
      let folder = try ScratchFolder()
      let parameters = try #require(vector.fields["params"] as? [String: Any])
      var options = try ConnectionIRIVectorTests.options(parameters)
      options.passwordFile = folder.path + "/pgpass"
      if let text = try vector.fields["file"] as? String { try folder.write("pgpass", text) }
      let endpoint = try #require(try options.endpoints().first)
      return RecordedCase.describe(OptionSources.password(for: endpoint, of: options).password)
    }
  }

  private func fields(_ entry: PasswordFile.Entry) -> [String] {
    entry.key.map { $0 ?? "*" } + [entry.password]
  }

  @Test("passes over what libpq passes over, and takes long lines and DOS line ends")
  func lines() {
    let long = String(repeating: "x", count: 100_000)
    let text =
      "# h:*:*:*:no\r\nh:1:d\nh:1:d:u:\(long)\r\n\\*:2:d:u:star\nh:2:d:u:p\\\n\0h:3:d:u:p\n"
    let file = PasswordFile(parsing: Array(text.utf8) + [0x68, 0x3a, 0xff, 0x0a])
    #expect(file.password(host: "h", port: "1", database: "d", user: "u") == long)
    #expect(file.password(host: "h", port: "2", database: "d", user: "u") == "p\\")
    #expect(file.password(host: "*", port: "2", database: "d", user: "u") == "star")
    #expect(file.entries.count == 3)
  }

  @Test("never traps on any bytes")
  func adversity() {
    var numbers = OptionSeed(state: 1)
    let alphabet = Array("h:*\\#\n\r1\0".utf8) + [0xff, 0xc3]
    for _ in 0..<5000 {
      let bytes = (0..<Int.random(in: 0...30, using: &numbers)).compactMap { _ in
        alphabet.randomElement(using: &numbers)
      }
      for entry in PasswordFile(parsing: bytes).entries { #expect(entry.key.count == 4) }
    }
  }

  @Test("gives each host only its own password")
  func hosts() throws {
    let folder = try ScratchFolder()
    var options = try ConnectionOptions.parse("host=a,b,/tmp,/run/x port=1,2,3,4 user=u dbname=d")
    options.passwordFile = try folder.write(
      ".pgpass", "a:1:d:u:for-a\nb:2:d:u:for-b\nlocalhost:3:d:u:for-local\n/run/x:4:d:u:for-x\n")
    let passwords = try options.endpoints().map { OptionSources.password(for: $0, of: options) }
    #expect(passwords.map(\.password) == ["for-a", "for-b", "for-local", "for-x"])
    #expect(passwords.allSatisfy { $0.warning == nil })
    options.password = ""
    let endpoint = try #require(try options.endpoints().first)
    #expect(OptionSources.password(for: endpoint, of: options).password == "")
  }

  @Test("ignores a file that others may read, or that is none, and says so")
  func permissions() throws {
    let folder = try ScratchFolder()
    let endpoint = Endpoint.tcp(host: "h", address: nil, port: 1)
    for mode in [0o640, 0o604, 0o660, 0o610] {
      var options = ConnectionOptions()
      options.passwordFile = try folder.write(".pgpass", "*:*:*:*:s3cret", mode: mode)
      let found = OptionSources.password(for: endpoint, of: options)
      #expect(found.password == nil)
      #expect(found.warning?.contains("0600") == true)
      #expect(found.warning?.contains("s3cret") == false)
    }
    var options = ConnectionOptions()
    options.passwordFile = folder.path
    #expect(OptionSources.password(for: endpoint, of: options).warning?.contains("plain") == true)
    let pipe = folder.path + "/pipe"
    #expect(mkfifo(pipe, 0o600) == 0)
    options.passwordFile = pipe
    #expect(OptionSources.password(for: endpoint, of: options).warning?.contains("plain") == true)
    options.passwordFile = folder.path + "/missing"
    #expect(
      OptionSources.password(for: endpoint, of: options) == .init(password: nil, warning: nil))
  }
}
