/// A server's version: major, minor, and patch for the servers before 10; and what kind of release it is.
///
/// In py-postgresql: `db.version_info`, the tuple of these five.
public struct ServerVersion: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The first number: 15 of `15.18`.
  public let major: Int
  /// The second: 18 of `15.18`.
  public let minor: Int
  /// The third, of servers before 10; otherwise 0.
  public let patch: Int
  /// The kind of release: `devel`, `alpha`, `beta`, `rc`, `final`.
  public let state: String
  /// The number of that kind: 2 of `16beta2`.
  public let level: Int

  /// Makes a version.
  public init(major: Int, minor: Int, patch: Int = 0, state: String = "final", level: Int = 0) {
    self.major = major
    self.minor = minor
    self.patch = patch
    self.state = state
    self.level = level
  }

  /// Reads the version that a server or a binary reports: `15.18 (Debian 15.18-0+deb12u1)`, `18beta2`.
  ///
  /// Returns `nil` if it does not begin with a number.
  public init?(_ text: some StringProtocol) {
    let parts = VersionParts(text)
    if parts.major == nil { return nil }
    self.init(parts)
  }

  /// The parts with what they leave out: zeros, and `final`.
  init(_ parts: VersionParts) {
    self.init(
      major: parts.major ?? 0, minor: parts.minor ?? 0, patch: parts.patch ?? 0,
      state: parts.state ?? "final", level: parts.level ?? 0)
  }

  /// Orders versions by age: of the same numbers, a beta is older than the release.
  public static func < (left: Self, right: Self) -> Bool {
    let (numbers, others) = (
      [left.major, left.minor, left.patch], [right.major, right.minor, right.patch]
    )
    if numbers != others { return numbers.lexicographicallyPrecedes(others) }
    return (left.maturity, left.level) < (right.maturity, right.level)
  }

  /// What a release may be, from the youngest kind on.
  static let states = ["dev", "a", "alpha", "b", "beta", "rc", "final"]

  private var maturity: Int {
    Self.states.lastIndex { state.hasPrefix($0) } ?? Self.states.count
  }

  /// `15.18`, `9.6.24`, `16beta2`.
  public var description: String {
    let isFinal = state == "final"
    let suffix = isFinal ? "" : state + (level == 0 ? "" : "\(level)")
    if !isFinal, major >= 10, minor == 0 { return "\(major)\(suffix)" }
    return (major < 10 ? "\(major).\(minor).\(patch)" : "\(major).\(minor)") + suffix
  }
}
