/// A password file, `.pgpass`: lines of `host:port:database:user:password`.
///
/// `\:` and `\\` stand for `:` and `\`; a field that is `*` matches everything; the first line that
/// matches wins; a line that begins with `#` is a comment. Nothing follows the password but a colon
/// or the line's end. Source: PostgreSQL manual, "The Password File".
public struct PasswordFile: Sendable {
  /// One line.
  struct Entry: Sendable, Equatable {
    /// Host, port, database and user; `nil` matches everything.
    let key: [String?]
    let password: String
  }

  let entries: [Entry]

  /// Reads a file's text.
  ///
  /// Lines that have not five fields are passed over, as are lines which are
  /// not UTF-8 or hold a NUL: no such password could be sent as it was meant.
  public init(parsing bytes: [UInt8]) {
    entries = bytes.split(separator: UInt8(ascii: "\n")).compactMap { line in
      Self.entry(line.last == UInt8(ascii: "\r") ? line.dropLast() : line)
    }
  }

  /// The password of the first line that matches.
  ///
  /// In py-postgresql: `pgpassfile.lookup_password`.
  public func password(host: String, port: String, database: String, user: String) -> String? {
    password(hosts: [host], port: port, database: database, user: user)
  }

  /// The password for one place, which has only its own (CVE-2018-10915).
  public func password(for endpoint: Endpoint, database: String, user: String) -> String? {
    password(
      hosts: endpoint.passwordFileHosts, port: endpoint.passwordFilePort, database: database,
      user: user)
  }

  private func password(
    hosts: [String], port: String, database: String, user: String
  ) -> String? {
    entries.first { entry in
      hosts.contains { host in
        zip(entry.key, [host, port, database, user]).allSatisfy { $0 == nil || $0 == $1 }
      }
    }?.password
  }

  static func entry(_ line: ArraySlice<UInt8>) -> Entry? {
    guard line.first != UInt8(ascii: "#"), !line.contains(0) else { return nil }
    var fields: [String?] = []
    var rest = line
    while fields.count < 5, !rest.isEmpty || fields.count == 4 {
      let (text, isStar) = nextField(&rest)
      guard let text = String(validating: text, as: UTF8.self) else { return nil }
      let matchesAll = isStar && fields.count < 4
      fields.append(matchesAll ? nil : text)
      if fields.count < 5, rest.popFirst() == nil { return nil }
    }
    guard fields.count == 5, let password = fields[4] else { return nil }
    return Entry(key: Array(fields[..<4]), password: password)
  }

  /// Reads up to the next colon, which stays; a backslash takes the next byte as it is.
  private static func nextField(_ rest: inout ArraySlice<UInt8>) -> ([UInt8], isStar: Bool) {
    let start = rest
    var field: [UInt8] = []
    while let byte = rest.first, byte != UInt8(ascii: ":") {
      rest.removeFirst()
      if byte == UInt8(ascii: "\\"), let escaped = rest.popFirst() {
        field.append(escaped)
      } else {
        field.append(byte)
      }
    }
    return (field, start[..<rest.startIndex].elementsEqual("*".utf8))
  }
}
