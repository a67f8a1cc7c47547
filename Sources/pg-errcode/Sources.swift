internal import ArgumentParser
internal import PGCommandLine
internal import PGErrorCodes

/// What answers are taken from: the table, a project's files of codes, and the server in mind.
struct Sources {
  var catalogue = ErrorCatalogue()
  /// The major version in mind; `nil` for all that the table knows.
  var server: Int?

  /// The versions whose codes the table has.
  static let servers = 15...18

  init() {}

  /// Reads the files of codes.
  ///
  /// - Throws: `Failure`: 1 for a file that cannot be read, 64 for one that is not as it must be.
  init(files: [String], server: ServerMajor?) throws(Failure) {
    self.server = server?.number
    for file in files { try add(file) }
  }

  private mutating func add(_ file: String) throws(Failure) {
    let bytes = try TextFile.read(file, program: ErrorCodeCommand.program)
    let name = file == "-" ? "stdin" : file
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw fault("\(name): not UTF-8")
    }
    do throws(CodeFile.Fault) {
      try catalogue.add(try CodeFile(text))
    } catch { throw fault("\(name):\(error.line): \(error.message)") }
  }

  private func fault(_ message: String) -> Failure {
    // The message quotes the file.
    let message = Diagnostic.escapingControls(message)
    return Failure(.usage, Diagnostic(program: ErrorCodeCommand.program, message: message))
  }

  /// Every definition that the server in mind has, in the order of the codes.
  var definitions: [SQLStateDefinition] { catalogue.definitions.filter(hasServer) }

  /// Whether the server in mind sends the code.
  func hasServer(_ definition: SQLStateDefinition) -> Bool {
    guard let server else { return true }
    return server >= definition.since ?? server && server <= definition.until ?? server
  }

  /// The note for a code that the server in mind does not send.
  func remark(on definition: SQLStateDefinition) -> String? {
    guard let server, !hasServer(definition) else { return nil }
    let versions =
      definition.since.map { "exists from \($0)" } ?? "existed until \(definition.until ?? server)"
    return "\(definition.code) \(versions); this server is \(server)"
  }
}

/// The server of `--server`: `17`, `17.2` or `170002`.
struct ServerMajor: ExpressibleByArgument {
  let number: Int

  init?(argument: String) {
    let digits = argument.prefix { $0 != "." }
    guard let number = Int(digits), number > 0 else { return nil }
    self.number = number >= 10_000 ? number / 10_000 : number
  }

  /// - Throws: `ValidationError` for a version that the table does not have.
  func validate() throws {
    guard !Sources.servers.contains(number) else { return }
    let range = "\(Sources.servers.lowerBound) to \(Sources.servers.upperBound)"
    throw ValidationError(
      "--server \(number): the table has the codes of \(range); give those of another server with "
        + "--codes and its errcodes.txt")
  }
}
