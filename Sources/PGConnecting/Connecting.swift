public import PGCommandLine
public import PGKit

/// How a program gets its connections.
public struct Connecting: Sendable {
  private let program: String

  /// Makes it for a program.
  public init(program: String) { self.program = program }

  /// Works out the options: the command line's IRI, the environment, service and password files.
  ///
  /// - Parameters:
  ///   - iri: Where to connect; without a text the environment says it.
  ///   - overrides: What flags say, which wins over everything.
  ///   - settings: Settings that the program's output depends on; the IRI's own win.
  /// - Throws: ``Failure`` with status 64 if an option is malformed or contradicts another, 1 if a file
  ///   that it names cannot be read.
  public func options(
    iri: String?, overrides: ConnectionOptions = ConnectionOptions(),
    settings: [ConnectionOptions.Setting] = []
  ) throws(Failure) -> ConnectionOptions {
    let resolved = try resolve(iri, overrides, fallbacks(settings))
    do throws(PGError) {
      try Connector(resolved.options).check()
      return resolved.options
    } catch {
      throw error.failure(of: program, status: .usage)
    }
  }

  /// Works out everything that a session of the program will be asked for, with the place that each came
  /// from.
  ///
  /// - Throws: ``Failure`` with status 64 if an option is malformed.
  public func explain(
    iri: String?, overrides: ConnectionOptions = ConnectionOptions(),
    settings: [ConnectionOptions.Setting] = []
  ) throws(Failure) -> ResolvedOptions {
    var fallbacks = fallbacks(settings)
    fallbacks.clientEncoding = Self.encoding
    return try resolve(iri, overrides, fallbacks)
  }

  /// What holds where nobody says anything.
  private func fallbacks(_ settings: [ConnectionOptions.Setting]) -> ConnectionOptions {
    var fallbacks = ConnectionOptions()
    fallbacks.fallbackApplicationName = program
    fallbacks.settings = settings
    return fallbacks
  }

  private func resolve(
    _ iri: String?, _ overrides: ConnectionOptions, _ fallbacks: ConnectionOptions
  ) throws(Failure) -> ResolvedOptions {
    do throws(PGError) {
      let resolved = try OptionSources().resolve(
        iri: iri?.isEmpty == true ? nil : iri, overrides: overrides, fallbacks: fallbacks,
        of: program)
      for warning in resolved.warnings { note(warning) }
      return resolved
    } catch {
      throw error.failure(of: program, status: .usage)
    }
  }

  /// Connects; notices go to stderr, and the first of INT, TERM and HUP cancels what runs.
  ///
  /// Texts travel as UTF-8, which is what the programs read and write. Only those of a SQL_ASCII
  /// database, which have no known encoding, travel as they are: asked for UTF-8, its server would
  /// end the statement, or a listener's session, at the first that is something else.
  ///
  /// - Parameters:
  ///   - deadline: When all attempts together must have led to a connection.
  ///   - patience: Until when to try again where a server may be about to come.
  /// - Throws: ``Failure`` with status 2, or 4 when time ended the attempts.
  public func connect(
    _ options: ConnectionOptions, until deadline: Deadline = .never,
    waitingUntil patience: Deadline? = nil
  ) throws(Failure) -> Connection {
    // Whoever waits for a server wants it as soon as it is there.
    let policy = RetryPolicy(triesAll: false, longest: .seconds(1))
    let deadline = patience.map { deadline.earlier($0) } ?? deadline
    var attempts = 0
    while true {
      do throws(PGError) {
        let connection = try session(options, until: deadline)
        Interruptions.shared.add(connection.interruption)
        return connection
      } catch {
        let isAgain = patience != nil && policy.mayTryAgain(after: error)
        if isAgain, !deadline.hasPassed {
          policy.sleep(before: attempts, until: deadline)
          attempts += 1
          continue
        }
        let place = error.origin.creators.last { $0.label == "HOST" }?.summary
        let isLate = deadline.hasPassed && (error.isTimeout || isAgain)
        let failure = error.failure(
          of: program, status: isLate ? .deadline : .connection, location: place)
        throw isLate && patience != nil
          ? failure.adding("HINT", "the time to wait for a server is over") : failure
      }
    }
  }

  /// Connects as ``connect(_:until:waitingUntil:)`` does, for a program that connects again and again and has
  /// nothing to cancel: signals do not know the session.
  ///
  /// - Throws: ``PGError`` as the connector does.
  public func session(
    _ options: ConnectionOptions, until deadline: Deadline = .never
  ) throws(PGError) -> Connection {
    let connection = try Connector(speakingUTF8(options)).connect(until: deadline)
    if connection.reportedSetting("server_encoding") == "SQL_ASCII" {
      try connection.execute("SET client_encoding = 'SQL_ASCII'", until: deadline)
    }
    let program = program
    connection.messageHook = {
      $0.diagnostic(of: program).print()
      return true
    }
    return connection
  }

  /// The options with the encoding that this program reads and writes, whatever else was asked for.
  private func speakingUTF8(_ options: ConnectionOptions) -> ConnectionOptions {
    var result = options
    let asked = options.settings.last { $0.name.lowercased() == Self.encodingSetting }?.value
    if let name = asked ?? options.clientEncoding, !Self.isUTF8(name), name != "auto" {
      note("client_encoding \(name) is not followed: \(program) reads and writes UTF-8")
    }
    result.settings.removeAll { $0.name.lowercased() == Self.encodingSetting }
    result.clientEncoding = Self.encoding
    return result
  }

  private static let encodingSetting = "client_encoding"
  /// What the programs read and write.
  private static let encoding = "UTF8"

  /// Whether the server takes the name for UTF-8, as it compares names: letters and digits only.
  private static func isUTF8(_ name: String) -> Bool {
    let letters = name.lowercased().filter { $0.isASCII && ($0.isLetter || $0.isNumber) }
    return letters == "utf8" || letters == "unicode"
  }

  private func note(_ text: String) {
    Diagnostic(program: program, severity: .warning, message: text).print()
  }
}
