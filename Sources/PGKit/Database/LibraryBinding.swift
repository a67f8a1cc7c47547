/// The queries of a library, ready to run on a connection.
///
/// ```swift
/// let staff = try Library(contentsOf: "queries/libstaff.sql").bind(to: db)
/// let everybody = try staff.employees()
/// let salary = try staff.salary.statement().first("Jack Johnson", as: PGNumeric.self)
/// ```
///
/// In py-postgresql: `postgresql.lib.Binding`.
@dynamicMemberLookup
public struct LibraryBinding {
  /// The connection on which they run.
  public let connection: Connection
  private let bound: BoundLibrary

  init(_ connection: Connection, _ bound: BoundLibrary) {
    self.connection = connection
    self.bound = bound
  }

  /// The library.
  public var library: Library { bound.library }

  /// The query with this name.
  ///
  /// - Throws: ``PGError`` `--LIB` if there is none.
  public subscript(name: String) -> BoundQuery {
    get throws(PGError) {
      guard let symbol = library[name] else {
        let label = library.name.isEmpty ? "the library" : "the library \(library.name)"
        throw .library(
          "\(label) has no query \"\(name)\"",
          hint: "It has \(library.symbols.map(\.name).joined(separator: ", ")).")
      }
      return BoundQuery(connection, bound, symbol)
    }
  }

  /// The query with this name.
  ///
  /// - Throws: ``PGError`` `--LIB` if there is none.
  public subscript(dynamicMember name: String) -> BoundQuery {
    get throws(PGError) { try self[name] }
  }
}

/// What a connection keeps of a library.
///
/// It does not refer to the connection, which may refer to it.
final class BoundLibrary {
  let library: Library
  var prepared: [String: PreparedStatement] = [:]
  var constants: [String: QueryOutcome] = [:]
  /// The real queries of references.
  var referents: [String: QuerySymbol] = [:]

  init(_ library: Library) { self.library = library }

  /// Prepares and runs what is to be prepared or run at once.
  func begin(on connection: Connection) throws(PGError) {
    for symbol in library.symbols {
      let query = BoundQuery(connection, self, symbol)
      switch symbol.kind {
      case .preload: _ = try query.statement()
      case .const where symbol.isReference: _ = try query.referent()
      case .const: _ = try query()
      case .static, .proc, .transient: continue
      }
    }
  }
}

extension Library {
  /// Binds the library to a connection: prepares what is marked `preload`, and runs what is marked
  /// `const`.
  ///
  /// - Throws: ``PGError``: the server's.
  public func bind(to connection: Connection) throws(PGError) -> LibraryBinding {
    let bound = BoundLibrary(self)
    try bound.begin(on: connection)
    return LibraryBinding(connection, bound)
  }
}
