#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Clusters that were made to stay, as far as this user was told to remember them.
///
/// Nothing depends on that: whoever forgets one only leaves it out of lists.
public enum StandingCluster {
  private static func folder() throws(PGError) -> String {
    try ClusterHome.find().directory("standing", mode: 0o700)
  }

  private static func file(of directory: String) throws(PGError) -> String {
    let path = AbsolutePath.resolved(directory) ?? AbsolutePath.text(of: directory)
    return "\(try folder())/\(ClusterHome.shortName(of: path))"
  }

  /// Remembers the cluster in a data directory.
  ///
  /// - Throws: ``PGError`` `-C000` if there is no place for that.
  public static func remember(_ directory: String) throws(PGError) {
    let file = try file(of: directory)
    let path = AbsolutePath.resolved(directory) ?? AbsolutePath.text(of: directory)
    var text = ConfigurationFile()
    text["directory"] = path
    do { try OpenFile.create(file, text.bytes + [ASCII.newline]) } catch {
      throw .cluster("could not write \"\(file)\"", error)
    }
  }

  /// Every one that is remembered and still there; one that is gone is forgotten.
  ///
  /// - Throws: ``PGError`` `-C000` if they cannot be read.
  public static func all() throws(PGError) -> [DataDirectory] {
    let folder = try folder()
    let names: [String]
    do { names = try FolderListing.names(in: folder) } catch {
      throw .cluster("could not read \"\(folder)\"", error)
    }
    var found: [DataDirectory] = []
    for name in names {
      let path = "\(folder)/\(name)"
      guard let text = try? OpenFile.text(of: path, limit: 65_536),
        let directory = ConfigurationFile(parsing: text)["directory"], directory.hasPrefix("/")
      else { continue }
      let data = DataDirectory(directory)
      switch try? data.status() {
      case .missing?, .uninitialized?: unlink(path)
      default: found.append(data)
      }
    }
    return found.sorted { $0.path < $1.path }
  }
}
