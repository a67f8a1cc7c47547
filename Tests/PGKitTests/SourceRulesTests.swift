import Foundation
import Testing

/// Nothing that a server sends may trap.
///
/// Where its bytes pass, the source itself is held to that:
/// what could trap is not written, or is named here with the reason why it cannot.
///
/// The compiler sees more than a search for words; what a search can see, it finds on every day.
@Suite("Source rules") struct SourceRulesTests {
  /// The rooms through which a server's bytes, or what was made of them, pass.
  private static let rooms = [
    "Wire", "Session", "Authentication", "Types", "Statements", "Connection", "Database", "Copying",
  ]

  /// A line that breaks a rule and may.
  private struct Exception: Hashable {
    let file: String
    let code: String
  }

  private static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Sources/PGKit")

  /// The lines of code of some rooms, without comments, with their files.
  private func lines(of rooms: [String]) throws -> [Exception] {
    try rooms.flatMap { room -> [Exception] in
      let folder = Self.root.appending(path: room)
      let names = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
      try #require(!names.isEmpty, "there is no room \(room)")
      return try names.filter { $0.hasSuffix(".swift") }.flatMap { name in
        let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
        return text.split(separator: "\n").map { line in
          let code = line.firstRange(of: "//").map { line[..<$0.lowerBound] } ?? line
          return Exception(
            file: "\(room)/\(name)", code: code.trimmingCharacters(in: .whitespaces))
        }
      }
    }
  }

  /// The lines in which `pattern` is found must be those of `exceptions`, no more and no fewer.
  private func expect(
    _ pattern: Regex<AnyRegexOutput>, in rooms: [String], exceptions: [Exception: String] = [:]
  ) throws {
    let found = Set(try lines(of: rooms).filter { $0.code.contains(pattern) })
    let allowed = Set(exceptions.keys)
    for line in found.subtracting(allowed) { Issue.record("\(line.file): \(line.code)") }
    for line in allowed.subtracting(found) {
      Issue.record("no longer there, so no exception: \(line.file): \(line.code)")
    }
  }

  @Test("nothing is forced")
  func forced() throws {
    try expect(
      try Regex(#"\btry!|\bas!|\.unsafelyUnwrapped|\bunsafeBitCast|\bunsafeDowncast"#),
      in: Self.rooms)
  }

  @Test("nothing gives up the process")
  func fatal() throws {
    try expect(
      try Regex(#"\b(fatalError|preconditionFailure|assertionFailure|abort|exit)\("#),
      in: Self.rooms,
      exceptions: [
        Exception(
          file: "Database/Transaction.swift",
          code: "public func abort() throws(PGError) { try rollback() }"):
          "it is a transaction that is given up"
      ])
  }

  @Test("a precondition speaks of the caller's index, never of the server's")
  func preconditions() throws {
    try expect(
      try Regex(#"\b(precondition|assert)\("#), in: Self.rooms,
      exceptions: [
        Exception(
          file: "Statements/RowBatch.swift",
          code:
            #"precondition(indices.contains(position), "no row \(position) in a batch of \(count)")"#
        ): "the subscript of a collection",
        Exception(
          file: "Statements/RowValues.swift",
          code:
            #"precondition(index >= 0 && index < cells.count, "no value \(index) in the batch")"#
        ): "the subscript of a list",
        Exception(
          file: "Statements/QueryResult.swift",
          code:
            #"precondition(indices.contains(position), "no row \(position) in a result of \(count)")"#
        ): "the subscript of a collection",
        Exception(
          file: "Types/Documents/PGBits.swift",
          code:
            #"precondition(indices.contains(position), "no bit \(position) in a string of \(count)")"#
        ): "the subscript of a collection",
      ])
  }

  @Test("exclusive access is left unchecked only where every round trip passes many times")
  func exclusivity() throws {
    try expect(
      try Regex(#"@exclusivity"#), in: Self.rooms,
      exceptions: [
        Exception(file: "Connection/Link.swift", code: "@exclusivity(unchecked)"):
          "checked in debug builds; handlers cannot use the connection (requireNoDelivery)",
        Exception(
          file: "Statements/RunningResult.swift",
          code: "@exclusivity(unchecked)"
        ): "the same",
      ])
  }

  @Test("raw memory is read in Bytes alone")
  func rawLoads() throws {
    try expect(
      try Regex(#"\bloadUnaligned\(|\.load\(|\.storeBytes\(|withMemoryRebound|bindMemory"#),
      in: Self.rooms + ["Options", "SQL", "Errors"],
      exceptions: [
        Exception(
          file: "Connection/Halt.swift",
          code: "get { flag.load(ordering: .relaxed) }"
        ): "an atomic flag"
      ])
  }

  @Test("a number is narrowed by a conversion that says what becomes of one that does not fit")
  func narrowing() throws {
    let safe = "truncatingIfNeeded:|exactly:|clamping:|ascii:|bitPattern:|bigEndian:|littleEndian:"
    let pattern = try Regex(#"\b(U?Int(8|16|32))\((?!"# + safe + #")(?!.*radix:)[^)]"#)
    try expect(
      pattern, in: Self.rooms,
      exceptions: [
        Exception(
          file: "Wire/ProtocolVersion.swift",
          code: "var code: UInt32 { UInt32(major) << 16 | UInt32(minor) }"): "widens",
        Exception(
          file: "Types/Times/PGTimeTZ.swift",
          code: "self.init(microseconds: time.microseconds, secondsWest: Int32(-secondsEast))"):
          "checked against the limit in the line before",
        Exception(
          file: "Types/Numbers/PGNumeric+Text.swift",
          code: "self.init(isNegative: false, groups: [], weight: 0, scale: UInt16(scale))"):
          "checked against the limit before",
        Exception(
          file: "Types/Numbers/PGNumeric+Text.swift",
          code:
            "self.init(isNegative: isNegative, groups: groups, weight: weight, scale: UInt16(scale))"
        ): "checked against the limit before",
        Exception(
          file: "Types/Numbers/PGNumeric+Text.swift", code: "group = group * 10 + UInt16(digit)"):
          "widens",
        Exception(
          file: "Statements/CopyInStream.swift",
          code: "pending.writeInteger(Int32(piece.count + 4))"): "a piece has a megabyte at most",
      ])
  }

  @Test("memory is reserved for counts that were compared with the bytes that are there")
  func reservations() throws {
    let read = "the count was read by readCount16, which compares"
    func counted(_ file: String, _ code: String) -> Exception { Exception(file: file, code: code) }
    try expect(
      try Regex(#"reserveCapacity\(|\(repeating:|\.allocate\("#), in: Self.rooms,
      exceptions: [
        counted("Wire/Backend/RowDescription.swift", "fields.reserveCapacity(count)"): read,
        counted("Wire/Backend/CopyResponse.swift", "formats.reserveCapacity(count)"): read,
        counted("Wire/Backend/ParameterDescription.swift", "types.reserveCapacity(total)"): read,
        counted("Types/Scalars/Bytes+PG.swift", "bytes.reserveCapacity(text.count)"):
          "of text that is there",
        counted("Statements/RowBatch.swift", "decodings = .allocate(capacity: columns.count)"):
          "of columns that are there",
        counted(
          "Statements/RowBatch.swift",
          "let types = UnsafeMutablePointer<TypeOID>.allocate(capacity: columns.count)"):
          "of columns that are there",
      ])
  }
}
