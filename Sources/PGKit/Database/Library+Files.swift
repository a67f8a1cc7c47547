import Synchronization

// Libraries as files and folders.

extension Library {
  private static let searched = Mutex<[String]>([])

  /// The folders in which ``load(_:)`` looks for libraries by name, the first one first.
  ///
  /// In py-postgresql: `postgresql.sys.libpath`.
  public static var searchPath: [String] {
    get { searched.withLock { $0 } }
    set { searched.withLock { $0 = newValue } }
  }

  /// Loads a library by its name, from `libNAME.sql` or the folder `NAME` in the first folder of
  /// ``searchPath`` that has one of them; or by its path, which is a text with a `/`.
  ///
  /// - Throws: ``PGError`` `--LIB` if there is none, or it cannot be read or understood.
  ///
  /// In py-postgresql: `postgresql.lib.load(...)`.
  public static func load(_ reference: String) throws(PGError) -> Library {
    if reference.contains("/") { return try Library(contentsOf: reference) }
    let folders = searchPath
    for folder in folders {
      for path in ["\(folder)/lib\(reference).sql", "\(folder)/\(reference)"]
      where (try? FileStatus(of: path)) != nil {
        return try Library(contentsOf: path, name: reference)
      }
    }
    throw .library(
      "there is no library \"\(reference)\"",
      hint: folders.isEmpty
        ? "Library.searchPath says in which folders to look, and is empty"
        : "looked for lib\(reference).sql and \(reference) in \(folders.joined(separator: ", "))")
  }

  /// Reads a library from a file of sections; or from a folder in which each `NAME.sql` is a query, or a
  /// file of sections whose queries belong to the library as well.
  ///
  /// - Parameters:
  ///   - path: The file or folder.
  ///   - name: What it is called; the name of the file or folder if it is not said.
  /// - Throws: ``PGError`` `--LIB` naming the file, and the line in it.
  public init(contentsOf path: String, name: String? = nil) throws(PGError) {
    let name = name ?? Self.name(of: path)
    let isFolder = (try? FileStatus(of: path))?.isDirectory ?? false
    guard isFolder else {
      try self.init(Self.text(of: path), name: name)
      return
    }
    let files: [String]
    do throws(SystemError) { files = try FolderListing.names(in: path) } catch {
      throw .library("the folder \(path) cannot be read: \(error.text)")
    }
    var symbols: [QuerySymbol] = []
    for file in files where file.hasSuffix(".sql") {
      symbols += try Self.queries(in: "\(path)/\(file)", called: String(file.dropLast(4)))
    }
    self.init(name: name, preface: "", symbols)
  }

  private static func queries(
    in path: String, called name: String
  ) throws(PGError) -> [QuerySymbol] {
    let text = try text(of: path)
    let library = try Library(text, name: path)
    if !library.symbols.isEmpty { return library.symbols }
    return [
      QuerySymbol(
        name: name, kind: .static, method: .all, sql: text,
        documentation: LibraryReader.documentation(of: text), isReference: false, line: 1)
    ]
  }

  private static func text(of path: String) throws(PGError) -> String {
    do throws(OptionSources.FileFault) {
      if let text = String(validating: try OptionSources.read(path), as: UTF8.self) { return text }
    } catch { throw .library("the library \(path) cannot be read: \(error.message)") }
    throw .library("the library \(path) is not UTF-8")
  }

  /// `emp` for `/srv/libemp.sql` and for `/srv/emp`.
  private static func name(of path: String) -> String {
    var name = path.split(separator: "/").last ?? ""
    if name.hasSuffix(".sql") { name = name.dropLast(4) }
    if name.hasPrefix("lib"), name.count > 3 { name = name.dropFirst(3) }
    return String(name)
  }
}
