/// A SQLSTATE: five characters that say what happened, the server's codes and PGKit's own alike.
///
/// The value is kept as its five bytes, so an unknown or an application's own code is never lost
/// or replaced. As a pattern, a class code (one that ends in `000`) matches every member of its
/// class, as a base class catches its descendants in py-postgresql:
///
/// ```swift
/// switch error.code {
/// case .uniqueViolation: …                     // 23505 alone
/// case .integrityConstraintViolation: …        // 23000 and every 23xxx
/// default: …
/// }
/// ```
///
/// Source: PostgreSQL manual, Appendix A.
public struct SQLState: Hashable, Sendable {
  /// The five bytes in the low 40 bits, first character highest.
  @usableFromInline let packed: UInt64

  /// Makes a code from its five characters.
  ///
  /// Returns `nil` unless there are exactly five printable ASCII characters without spaces;
  /// letters keep their case, because SQLSTATEs are compared exactly.
  @inlinable
  public init?(_ characters: some StringProtocol) {
    // Inlinable: where it stays generic, its first call takes a sixth of a run of pg-errcode.
    var packed: UInt64 = 0
    var count = 0
    for byte in characters.utf8 {
      guard byte > 0x20, byte < 0x7F, count < 5 else { return nil }
      packed = packed << 8 | UInt64(byte)
      count += 1
    }
    guard count == 5 else { return nil }
    self.packed = packed
  }

  /// Makes a code from its five bytes, first character highest; `nil` unless each is a printable
  /// ASCII character without being a space, and nothing stands above them.
  @inlinable
  public init?(packedBytes: UInt64) {
    guard packedBytes >> 40 == 0 else { return nil }
    for shift in stride(from: UInt64(0), to: 40, by: 8) {
      let byte = UInt8(truncatingIfNeeded: packedBytes >> shift)
      guard byte > 0x20, byte < 0x7F else { return nil }
    }
    packed = packedBytes
  }

  /// The five bytes in the low 40 bits, first character highest.
  @inlinable
  public var packedBytes: UInt64 { packed }

  /// The first two characters: the class.
  public var classCharacters: String { String(description.prefix(2)) }

  /// The class's own code: the first two characters followed by `000`.
  public var classCode: SQLState {
    SQLState(packed: packed & 0xFF_FF00_0000 | 0x30_3030)
  }

  /// Whether the code stands for its whole class (it ends in `000`).
  public var isClassCode: Bool { packed & 0xFF_FFFF == 0x30_3030 }

  @usableFromInline init(packed: UInt64) { self.packed = packed }

  /// Whether `code` is `pattern`, or a member of the class that `pattern` stands for.
  public static func ~= (pattern: SQLState, code: SQLState) -> Bool {
    pattern == code || pattern.isClassCode && pattern.packed >> 24 == code.packed >> 24
  }
}

extension SQLState: CustomStringConvertible {
  /// The five characters.
  public var description: String {
    let bytes = (0..<5).map { UInt8(truncatingIfNeeded: packed >> (32 - 8 * $0)) }
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension SQLState: Comparable {
  /// Orders codes as their characters are ordered in ASCII.
  public static func < (left: SQLState, right: SQLState) -> Bool { left.packed < right.packed }
}

extension SQLState: ExpressibleByStringLiteral {
  /// Makes a code from a literal in source text; a literal that is not five characters is a
  /// programmer's mistake and stops the program.
  public init(stringLiteral value: StaticString) {
    guard let code = SQLState("\(value)") else {
      preconditionFailure("a SQLSTATE has five printable characters")
    }
    self = code
  }
}
