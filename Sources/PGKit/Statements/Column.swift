/// A column of a result.
public struct Column: Sendable, Hashable {
  /// The name; not necessarily unique, possibly empty.
  public let name: String
  /// The type.
  public var type: TypeOID { pgType.oid }
  /// The type, with what is known of it.
  public private(set) var pgType: PGType
  /// The type's modifier, such as a length; −1 for none.
  public let typeModifier: Int32
  /// The table that the column comes from, or 0.
  public let tableOID: UInt32
  /// The column's number in that table, or 0.
  public let attributeNumber: Int16
  /// The format in which the values travel.
  public let format: PGFormat

  /// The same column, of a type of which more is known.
  func with(_ type: PGType) -> Column { Column(self, type) }

  private init(_ other: Column, _ type: PGType) {
    self = other
    pgType = type
  }

  init(_ field: RowDescription.Field, _ type: PGType, format: PGFormat) {
    name = field.name
    pgType = type
    typeModifier = field.typeModifier
    tableOID = field.tableOID
    attributeNumber = field.attributeNumber
    self.format = format
  }
}
