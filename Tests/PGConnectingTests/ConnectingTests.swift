import PGCommandLine
import PGConnecting
import PGErrorCodes
import PGKit
import PGTestCluster
import Testing

@Suite struct ConnectingTests {
  private let connecting = Connecting(program: "a-program")

  @Test("a program's settings are weaker than the IRI's, whatever their case")
  func settings() throws {
    let options = try connecting.options(
      iri: "pq://u@h/d?datestyle=SQL",
      settings: [.init("DateStyle", "ISO"), .init("IntervalStyle", "iso_8601")])
    #expect(options.setting("DateStyle") == "SQL")
    #expect(options.setting("IntervalStyle") == "iso_8601")
    #expect(options.settings.count == 2)
    #expect(options.fallbackApplicationName == "a-program")
  }

  @Test(
    "what cannot be is a mistake of usage that names it",
    arguments: [
      ("pq://h:99999/d", "port"), ("postgres://h/d?nope=1", "nope"),
      ("host=a,b port=1,2,3 dbname=d", "port"),
    ])
  func refused(iri: String, word: String) {
    let failure = #expect(throws: Failure.self) { () throws in
      _ = try connecting.options(iri: iri)
    }
    #expect(failure?.status == .usage)
    #expect(failure?.diagnostic?.message.contains(word) == true, "\(String(describing: failure))")
  }

  @Test("connects under the program's name, in UTF-8")
  func connects() throws {
    let server = try TestServer.shared.get()
    let connection = try connecting.connect(try connecting.options(iri: server.iri()))
    defer { connection.close() }
    let name = try connection.query.first("SHOW application_name", as: String.self)
    #expect(name == "a-program")
    #expect(try connection.query.first("SHOW client_encoding", as: String.self) == "UTF8")
  }

  @Test("nobody there is 2; nobody there until the time to wait is over is 4, and says so")
  func nobody() throws {
    let options = try connecting.options(iri: "postgres://u@127.0.0.1:1/d")
    let refused = #expect(throws: Failure.self) { () throws in _ = try connecting.connect(options) }
    #expect(refused?.status == .connection)
    let late = #expect(throws: Failure.self) { () throws in
      _ = try connecting.connect(options, waitingUntil: .after(.milliseconds(300)))
    }
    #expect(late?.status == .deadline)
    #expect(late?.diagnostic?.details.contains { $0.text.contains("time to wait") } == true)
  }

  @Test(
    "the exit status says whose fault an error is",
    arguments: [
      (PGError.Fault.server, SQLState.uniqueViolation, PGCommandLine.ExitStatus.refused),
      (.transport, .connectionFailure, .connection), (.peer, .protocolViolation, .connection),
      (.caller, .clientParameterError, .localFailure),
    ])
  func status(fault: PGError.Fault, code: SQLState, want: PGCommandLine.ExitStatus) {
    let error = PGError(code: code, message: "m", fault: fault, hint: "h")
    #expect(error.status == want)
    let failure = error.failure(of: "a-program")
    #expect(failure.status == want)
    #expect(failure.diagnostic?.details.first?.text == "h")
  }
}
