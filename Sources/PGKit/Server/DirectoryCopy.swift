internal import CSpawn

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Copies of whole directories of files.
struct DirectoryCopy: Sendable {
  /// The directory that is copied; where it is packed, the pack's file.
  let source: String
  /// A directory that is there.
  let destination: String
  /// Whose the copy is; `nil` is the caller.
  let owner: ServerUser?

  /// Whether the file system can give the copy the same blocks.
  var canReflink: Bool { pgkit_can_reflink(source, destination) != 0 }

  /// Copies what is in the source, by reflink where the file system can, else within the system.
  ///
  /// - Parameters:
  ///   - hollow: A subdirectory of which nothing is copied but itself.
  ///   - unwanted: How the names of files end that are left out.
  /// - Throws: ``PGError`` `-C000` that names what could not be copied.
  func copy(hollow: String? = nil, unwanted: String? = nil) throws(PGError) {
    var name = [CChar](repeating: 0, count: 256)
    let number = withRequest(hollow, unwanted) { request in
      pgkit_clone_tree(source, destination, &request, &name, name.count)
    }
    if number == 0 { return }
    let bytes = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    throw .cluster(
      "could not copy \"\(String(decoding: bytes, as: UTF8.self))\" from \"\(source)\" "
        + "to \"\(destination)\"",
      SystemError(call: "copy_file_range", number: number))
  }

  /// Makes one file of what is in the source; `destination` is the new file.
  ///
  /// - Parameters:
  ///   - hollow: A subdirectory of which nothing is packed but itself.
  ///   - unwanted: How the names of files end that are left out.
  /// - Throws: ``PGError`` `-C000` if that is not possible.
  func pack(hollow: String? = nil, unwanted: String? = nil) throws(PGError) {
    let number = withRequest(hollow, unwanted) { pgkit_pack_tree(source, destination, &$0) }
    if number == 0 { return }
    throw .cluster(
      "could not pack \"\(source)\" into \"\(destination)\"",
      SystemError(call: "write", number: number))
  }

  /// Makes in the destination what was packed.
  ///
  /// - Throws: ``PGError`` `-C000` if there is no room, or the pack is damaged.
  func unpack() throws(PGError) {
    let number = withRequest { pgkit_unpack_tree(source, destination, &$0) }
    if number == 0 { return }
    throw .cluster(
      "could not unpack \"\(source)\" into \"\(destination)\"",
      SystemError(call: "write", number: number))
  }

  private func withRequest(
    _ hollow: String? = nil, _ unwanted: String? = nil,
    _ body: (inout pgkit_clone_request) -> Int32
  ) -> Int32 {
    let texts = [hollow, unwanted].map { $0.flatMap { strdup($0) } }
    defer { for text in texts { free(text) } }
    var request = pgkit_clone_request()
    request.changes_owner = owner == nil ? 0 : 1
    request.user = owner?.userID ?? 0
    request.group = owner?.groupID ?? 0
    request.hollow = UnsafePointer(texts[0])
    request.unwanted = UnsafePointer(texts[1])
    return body(&request)
  }
}
