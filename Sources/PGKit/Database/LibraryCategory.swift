/// Binds libraries to each new connection: ``Connection/library(_:)`` gives them.
///
/// ```swift
/// var connector = Connector(options)
/// connector.category = try LibraryCategory([Library(contentsOf: "queries/libstaff.sql")])
/// let everybody = try connector.connect().library("staff").employees()
/// ```
///
/// In py-postgresql: `postgresql.lib.Category`.
public struct LibraryCategory: Category {
  private let libraries: [Library]

  /// Makes a category of libraries under their own names, and of others under the names that they are
  /// given here.
  ///
  /// - Throws: ``PGError`` `--LIB` if two have the same name, or one has none.
  ///
  /// In py-postgresql: `Category(*libs, name=lib)`.
  public init(_ libraries: [Library], named: [String: Library] = [:]) throws(PGError) {
    var all = libraries
    for (name, var library) in named.sorted(by: { $0.key < $1.key }) {
      library.name = name
      all.append(library)
    }
    var names: Set<String> = []
    for library in all {
      guard !library.name.isEmpty else { throw .library("a library of a category needs a name") }
      guard names.insert(library.name).inserted else {
        throw .library("two libraries of a category are called \"\(library.name)\"")
      }
    }
    self.libraries = all
  }

  /// Binds the libraries to `connection`.
  ///
  /// - Throws: ``PGError``: the server's.
  public func initialize(_ connection: Connection) throws(PGError) {
    let bound = BoundLibraries()
    for library in libraries {
      let one = BoundLibrary(library)
      try one.begin(on: connection)
      bound.byName[library.name] = one
    }
    connection.attachments[ObjectIdentifier(BoundLibraries.self)] = bound
  }
}

/// The libraries that a connection's category has bound to it.
private final class BoundLibraries {
  var byName: [String: BoundLibrary] = [:]
}

extension Connection {
  /// A library that the connector's ``LibraryCategory`` has bound to this connection.
  ///
  /// - Throws: ``PGError`` `--LIB` if there is none of this name.
  public func library(_ name: String) throws(PGError) -> LibraryBinding {
    let all = attachments[ObjectIdentifier(BoundLibraries.self)] as? BoundLibraries
    guard let bound = all?.byName[name] else {
      throw .library(
        "no library \"\(name)\" is bound to the connection",
        hint: "the connector's category binds libraries; or use bind(to:)")
    }
    return LibraryBinding(self, bound)
  }
}
