public import PGCommandLine
public import PGKit

/// How a program gets its connections.
public struct Connecting: Sendable {
  private let program: String

  /// Makes it for a program.
  public init(program: String) { self.program = program }

  /// Works out the options: the command line's IRI, the environment, service and password files.
  ///
  /// - Parameter settings: Settings that the program's output depends on; the IRI's own win.
  /// - Throws: ``Failure`` with status 64 if an option is malformed or contradicts another.
  public func options(
    iri: String?, settings: [ConnectionOptions.Setting] = []
  ) throws(Failure) -> ConnectionOptions {
    do throws(PGError) {
      let resolved = try OptionSources().resolve(iri: iri)
      for warning in resolved.warnings { note(warning) }
      var options = resolved.options
      options.fallbackApplicationName = options.fallbackApplicationName ?? program
      for setting in settings where !options.has(setting.name) { options.settings.append(setting) }
      try Connector(options).check()
      return options
    } catch {
      throw error.failure(of: program, status: .usage)
    }
  }

  /// Connects; notices go to stderr, and the first of INT, TERM and HUP cancels what runs.
  ///
  /// - Parameter deadline: When all attempts together must have led to a connection.
  /// - Throws: ``Failure`` with status 2, or 4 when `deadline` was what ended the attempts.
  public func connect(
    _ options: ConnectionOptions, until deadline: Deadline = .never
  ) throws(Failure) -> Connection {
    do throws(PGError) {
      let connection = try Connector(options).connect(until: deadline)
      let program = program
      connection.noticeHandler = { $0.diagnostic(of: program).print() }
      Interruptions.shared.add(connection.interruption)
      return connection
    } catch {
      let place = error.origin.creators.last { $0.label == "CONNECTOR" }?.summary
      let status: ExitStatus = error.isTimeout && deadline.hasPassed ? .deadline : .connection
      throw error.failure(of: program, status: status, location: place)
    }
  }

  private func note(_ text: String) {
    Diagnostic(program: program, severity: .warning, message: text).print()
  }
}

extension ConnectionOptions {
  fileprivate func has(_ name: String) -> Bool {
    settings.contains { $0.name.lowercased() == name.lowercased() }
  }
}
