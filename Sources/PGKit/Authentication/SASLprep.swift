/// SASLprep (RFC 4013), with PostgreSQL's rule for what it does not allow: the bytes as they are.
///
/// Both ends must come to the same bytes, so this follows the server's `pg_saslprep` where that
/// differs from the letter of the RFC: the checks look at the characters before normalisation, and
/// ASCII passes unchecked.
enum SASLprep {
  private static let spaces = ScalarRanges(SASLprepTables.spaces)
  private static let ignored = ScalarRanges(SASLprepTables.ignored)
  private static let prohibited = ScalarRanges(SASLprepTables.prohibited)
  private static let unassigned = ScalarRanges(SASLprepTables.unassigned)
  private static let rightToLeft = ScalarRanges(SASLprepTables.rightToLeft)
  private static let leftToRight = ScalarRanges(SASLprepTables.leftToRight)

  /// The bytes that SCRAM takes for `password`.
  static func prepare(_ password: [UInt8]) -> [UInt8] {
    if password.allSatisfy({ $0 < 0x80 }) { return password }
    guard let text = String(validating: password, as: UTF8.self) else { return password }
    let mapped = map(text.unicodeScalars)
    guard !mapped.isEmpty, mapped.allSatisfy(isAllowed), hasOneDirection(mapped) else {
      return password
    }
    var prepared = String.UnicodeScalarView()
    prepared.append(contentsOf: Normalization.nfkc(mapped))
    return Array(String(prepared).utf8)
  }

  /// Every kind of space becomes a space; soft hyphens, joiners and their like vanish.
  private static func map(_ scalars: String.UnicodeScalarView) -> [Unicode.Scalar] {
    scalars.compactMap { scalar in
      if spaces.contains(scalar) { return " " }
      return ignored.contains(scalar) ? nil : scalar
    }
  }

  private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
    !prohibited.contains(scalar) && !unassigned.contains(scalar)
  }

  /// RFC 3454 section 6: text with right-to-left characters begins and ends with one and has no
  /// left-to-right ones.
  private static func hasOneDirection(_ scalars: [Unicode.Scalar]) -> Bool {
    guard let first = scalars.first, let last = scalars.last,
      scalars.contains(where: rightToLeft.contains)
    else { return true }
    return rightToLeft.contains(first) && rightToLeft.contains(last)
      && !scalars.contains(where: leftToRight.contains)
  }
}
