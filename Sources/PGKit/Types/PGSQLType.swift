/// A Swift type made for one SQL type, in which its values travel in binary.
///
/// Conforming says which parameters and columns it stands for.
public protocol PGSQLType: PGEncodable, PGDecodable, PGArrayElement {
  /// The type of the server.
  static var sqlType: TypeOID { get }
}

extension PGSQLType {
  /// Binary for its own type; text where the server decides what it means.
  public func encodingFormat(for type: PGType) -> PGFormat? {
    type.parameterFormat(binaryFor: Self.sqlType)
  }

  /// Accepts its own type.
  public static func accepts(_ type: PGType, _ format: PGFormat) -> Bool {
    type.base == sqlType
  }
}
