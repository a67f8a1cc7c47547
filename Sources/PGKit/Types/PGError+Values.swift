import PGErrorCodes

// What can be wrong with a value. No message ever holds the value itself.

extension PGError {
  /// The bytes of a column are not a value of its type.
  @inline(never)
  static func malformed(_ type: PGType, _ reason: String, hint: String? = nil) -> PGError {
    PGError(
      code: .columnError, message: "malformed value of SQL type \(type.name): \(reason)",
      fault: .peer, hint: hint)
  }

  /// A column's type or value does not fit the Swift type asked for.
  @inline(never)
  static func unreadable(_ type: PGType, as swiftType: Any.Type, _ reason: String = "") -> PGError {
    .column("a value of SQL type \(type.name) cannot be read as \(swiftType)\(reason)")
  }

  /// A parameter's value cannot become its SQL type.
  @inline(never)
  static func unwritable(_ swiftType: Any.Type, as type: PGType, _ reason: String = "") -> PGError {
    // Where the server is to find out the type, there is none to name.
    let place = type.oid == .unspecified ? "" : " as SQL type \(type.name)"
    return .parameter("a value of type \(swiftType) cannot be sent\(place)\(reason)")
  }

  /// A parameter's value lies beyond its SQL type's range.
  @inline(never)
  static func outOfRange(_ swiftType: Any.Type, as type: PGType) -> PGError {
    .unwritable(swiftType, as: type, ": it is out of that type's range")
  }
}
