#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Paths that do not depend on the working directory.
///
/// Links in them stay as they are.
enum AbsolutePath {
  /// The path from the root, without needless slashes at its end.
  static func text(of path: String) -> String {
    var result = path.hasPrefix("/") ? path : workingDirectory + "/" + path
    while result.count > 1, result.hasSuffix("/") || result.hasSuffix("/.") {
      result.removeLast()
    }
    return result
  }

  /// The directory that a path's last part stands in.
  static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
    return String(path[..<slash])
  }

  /// A path's last part.
  static func name(of path: String) -> Substring {
    path.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
  }

  /// The path without links; `nil` if there is nothing.
  static func resolved(_ path: String) -> String? {
    guard let text = realpath(path, nil) else { return nil }
    defer { free(text) }
    return String(cString: text)
  }

  private static var workingDirectory: String {
    guard let text = getcwd(nil, 0) else { return "" }
    defer { free(text) }
    return String(cString: text)
  }
}
