/// A server's version: major, minor, and patch for the servers before 10.
public struct ServerVersion: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The first number: 15 of `15.18`.
  public let major: Int
  /// The second: 18 of `15.18`.
  public let minor: Int
  /// The third, of servers before 10; otherwise 0.
  public let patch: Int

  /// Makes a version.
  public init(major: Int, minor: Int, patch: Int = 0) {
    self.major = major
    self.minor = minor
    self.patch = patch
  }

  /// Reads the version that a server or a binary reports: `15.18 (Debian 15.18-0+deb12u1)`, `18beta2`.
  ///
  /// Returns `nil` if it does not begin with a number.
  public init?(_ text: some StringProtocol) {
    let word = text.prefix { $0 != " " }
    let numbers = word.split(separator: ".").prefix(3).map { Int($0.prefix { $0.isWholeNumber }) }
    guard let first = numbers.first, let major = first else { return nil }
    self.major = major
    minor = numbers.count > 1 ? numbers[1] ?? 0 : 0
    patch = numbers.count > 2 ? numbers[2] ?? 0 : 0
  }

  /// Orders versions by age.
  public static func < (left: Self, right: Self) -> Bool {
    (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch)
  }

  /// `15.18`, `9.6.24`.
  public var description: String {
    major < 10 ? "\(major).\(minor).\(patch)" : "\(major).\(minor)"
  }
}
