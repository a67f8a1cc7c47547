/// A version of the frontend/backend protocol.
///
/// Source: PostgreSQL manual, "Frontend/Backend Protocol".
struct ProtocolVersion: Hashable, Comparable, Sendable {
  let major: UInt16
  let minor: UInt16

  /// Spoken by every server since 7.4.
  static let v3_0 = ProtocolVersion(major: 3, minor: 0)
  /// Adds cancel keys of up to 256 bytes (server 18).
  static let v3_2 = ProtocolVersion(major: 3, minor: 2)

  /// The code as it stands in a startup packet.
  var code: UInt32 { UInt32(major) << 16 | UInt32(minor) }

  init(major: UInt16, minor: UInt16) {
    self.major = major
    self.minor = minor
  }

  init(code: UInt32) {
    major = UInt16(truncatingIfNeeded: code >> 16)
    minor = UInt16(truncatingIfNeeded: code)
  }

  static func < (left: Self, right: Self) -> Bool { left.code < right.code }
}

extension ProtocolVersion: CustomStringConvertible {
  var description: String { "\(major).\(minor)" }
}

/// The codes that stand in a version's place in the packets that are no startup packets.
enum RequestCode {
  static let cancel: UInt32 = 80_877_102
  static let ssl: UInt32 = 80_877_103
}
