import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// All receivers or none, whoever is killed and when.
@Suite(
  "pg-copy --atomic", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
final class PgCopyAtomicTests {
  private let cluster: CopyCluster
  private let scene: CopyFixture

  init() throws {
    cluster = try CopyCluster(settings: [
      .init("max_prepared_transactions", "10"), .init("synchronous_commit", "local"),
      .init("synchronous_standby_names", "nobody"), .init("wal_level", "replica"),
      .init("max_wal_senders", "2"),
    ])
    scene = try CopyFixture(iri: try cluster.iri())
  }

  deinit { cluster.close() }

  private func prepared() throws -> Int {
    try scene.ask("SELECT count(*) FROM pg_prepared_xacts", as: Int.self) ?? -1
  }

  /// Rows 1 of a receiver make its COMMIT take as long.
  private func slowCommit(_ number: Int, seconds: Int) throws {
    try scene.db.execute(
      """
      CREATE FUNCTION \(scene.name)_slow() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep(\(seconds)); RETURN NULL; END $$;
      CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON \(scene.name)_\(number)
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.id = 1)
        EXECUTE FUNCTION \(scene.name)_slow()
      """)
  }

  private var three: [String] { scene.to(1) + scene.to(2) + scene.to(3) }

  private func expectAll() throws {
    for number in 1...3 { #expect(try scene.isEqual(number)) }
    #expect(try prepared() == 0)
  }

  private func expectNone() throws {
    for number in 1...3 { #expect(try scene.rows(number) == 0) }
    #expect(try prepared() == 0)
  }

  @Test("all receivers commit", arguments: [[], ["--jobs", "2"]])
  func all(more: [String]) throws {
    let outcome = try scene.copy(three + ["--atomic", "--summary", "json"] + more)
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(try scene.summary(outcome).statuses == ["committed", "committed", "committed"])
    try expectAll()
  }

  @Test("if one fails in the end, none commits")
  func none() throws {
    // A deferred constraint fails only when the transaction is prepared.
    try scene.db.execute(
      """
      ALTER TABLE \(scene.name)_3 ADD CONSTRAINT later FOREIGN KEY (id) REFERENCES \(scene.name)_2(id)
        DEFERRABLE INITIALLY DEFERRED
      """)
    let outcome = try scene.copy(three + ["--atomic", "--summary", "json"])
    #expect(outcome.end == .exit(3), "\(outcome.errors)")
    #expect(outcome.errors.contains("23503"))
    #expect(try scene.summary(outcome).statuses == ["rolled_back", "rolled_back", "rolled_back"])
    try expectNone()
  }

  @Test("the one that decides fails in COMMIT: the prepared ones are rolled back")
  func decisiveFails() throws {
    try scene.db.execute(
      """
      ALTER TABLE \(scene.name)_1 ADD CONSTRAINT later FOREIGN KEY (id) REFERENCES \(scene.name)_2(id)
        DEFERRABLE INITIALLY DEFERRED
      """)
    let outcome = try scene.copy(three + ["--atomic"])
    #expect(outcome.end == .exit(3), "\(outcome.errors)")
    try expectNone()
  }

  @Test("a server that cannot prepare is found out before anything is copied")
  func capacity() throws {
    let other = try CopyCluster(settings: [.init("max_prepared_transactions", "0")])
    defer { other.close() }
    let shared = try CopyFixture(iri: try other.iri())
    let outcome = try scene.copy(
      scene.to(1) + ["--to", "\(shared.iri);table=\(shared.name)_1", "--atomic"])
    #expect(outcome.end == .exit(3))
    #expect(outcome.errors.contains("max_prepared_transactions is 0"))
    #expect(try scene.rows(1) == 0)
  }

  @Test("a server that does not tell its identifier is refused, and none commits")
  func noIdentifier() throws {
    try scene.db.execute(
      """
      CREATE ROLE plain LOGIN;
      GRANT ALL ON ALL TABLES IN SCHEMA public TO plain;
      REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC
      """)
    let asPlain = three.map { $0.replacing("://postgres@", with: "://plain@") }
    #expect(asPlain != three)
    let outcome = try scene.copy(asPlain + ["--atomic", "--summary", "json"])
    #expect(outcome.end == .exit(3), "\(outcome.errors)")
    #expect(outcome.errors.contains("pg_control_system"), "\(outcome.errors)")
    try expectNone()
  }

  @Test("a server that is silent in PREPARE is not waited for after a signal; resolve rolls back")
  func silentPrepare() throws {
    try slowCommit(2, seconds: 1)
    let running = try scene.start(three + ["--atomic", "--grace", "1s", "--summary", "json"])
    let process = try scene.wait(for: "PREPARE TRANSACTION%", in: "PgSleep")
    #expect(kill(process, SIGSTOP) == 0)
    defer { kill(process, SIGCONT) }
    running.signal(SIGTERM)
    let outcome = try running.wait()
    #expect(outcome.end == .signal(SIGTERM))
    let statuses = try scene.summary(outcome).statuses
    #expect(Set(statuses) == ["rolled_back"], "\(outcome.errors)")
    kill(process, SIGCONT)
    for _ in 0..<1000 where try prepared() == 0 { usleep(20_000) }
    #expect(try prepared() == 1)
    let resolved = try resolve()
    #expect(resolved.end == .exit(0), "\(resolved.errors)")
    try expectNone()
  }

  @Test("the tool is killed while the decision is made: resolve commits what was decided")
  func killedThenCommitted() throws {
    try slowCommit(1, seconds: 2)
    let running = try scene.start(three + ["--atomic"])
    try scene.wait(for: "COMMIT")
    running.signal(SIGKILL)
    _ = try running.wait()
    #expect(try prepared() == 2)
    let early = try resolve()
    #expect(early.end == .exit(3))
    #expect(early.output.contains(#""decision":"undecided yet""#), "\(early.output)")
    for _ in 0..<200 where try scene.rows(1) == 0 { usleep(20_000) }
    let listed = try resolve(["--list"])
    #expect(listed.end == .exit(0))
    #expect(listed.lines.count == 2)
    #expect(listed.output.contains(#""decision":"commit""#), "\(listed.output)")
    #expect(try prepared() == 2)
    let done = try resolve()
    #expect(done.end == .exit(0), "\(done.errors)")
    try expectAll()
  }

  @Test(
    "what a run that was killed has left prepared is ended by the job's next run, once that is decided"
  )
  func remains() throws {
    try slowCommit(1, seconds: 30)
    let job = ["--job", "remains"]
    let running = try scene.start(scene.to(1) + scene.to(2) + job + ["--atomic"])
    let process = try scene.wait(for: "COMMIT", in: "PgSleep")
    let words = "which is committing or was killed, has prepared there: pgkit:remains:"
    // Nobody waits for its locks here.
    let other = try scene.copy(scene.to(3) + job)
    #expect(other.end == .exit(0), "\(other.errors)")
    let warning = "WARNING: a run of job remains, \(words)"
    #expect(other.errors.contains(warning), "\(other.errors)")
    #expect(other.errors.contains("HINT: If no run is at work: pg-copy resolve"))
    let waiting = try scene.copy(scene.to(2) + job + ["--summary", "json"])
    #expect(waiting.end == .exit(3), "\(waiting.errors)")
    let receiver = try scene.summary(waiting).receivers[0]
    #expect(receiver.sqlstate == "55P03", "\(waiting.errors)")
    #expect(receiver.remedy?.hasPrefix("pg-copy resolve") == true, "\(waiting.errors)")
    running.signal(SIGKILL)
    _ = try running.wait()
    try scene.terminate(process)
    let foreign = try scene.copy(scene.to(3) + ["--job", "remain", "--replace", "delete"])
    #expect(foreign.end == .exit(0) && !foreign.errors.contains("pgkit:"), "\(foreign.errors)")
    #expect(try resolve(["--job", "remain"]).output == "")
    let dry = try scene.copy(scene.to(2) + job + ["--dry-run"])
    #expect(dry.errors.contains(words), "\(dry.errors)")
    #expect(try prepared() == 1)
    let done = try scene.copy(scene.to(2) + job)
    #expect(done.end == .exit(0), "\(done.errors)")
    #expect(done.errors.contains("of a run before was rolled back, as that had decided"))
    #expect(try prepared() == 0)
    #expect(try scene.isEqual(2))
  }

  @Test("the same command again completes what a run that was killed had decided to commit")
  func completes() throws {
    try slowCommit(1, seconds: 3)
    let command = three + ["--atomic", "--job", "completes"]
    let running = try scene.start(command)
    try scene.wait(for: "COMMIT")
    running.signal(SIGKILL)
    _ = try running.wait()
    for _ in 0..<500 where try scene.rows(1) == 0 { usleep(20_000) }
    #expect(try prepared() == 2)
    let again = try scene.copy(command)
    #expect(again.end == .exit(0), "\(again.errors)")
    #expect(again.errors.contains("of a run before was committed, as that had decided"))
    try expectAll()
  }

  @Test(
    "resolve does not take an empty name of a job for one that has nothing left",
    arguments: ["", "a b"])
  func resolvesNamedJobs(name: String) throws {
    let outcome = try resolve(["--job", name])
    #expect(outcome.end == .exit(64) && outcome.output.isEmpty, "\(outcome.errors)")
  }

  @Test("the tool and the server that decides are killed: resolve rolls back")
  func killedThenRolledBack() throws {
    try slowCommit(1, seconds: 30)
    let running = try scene.start(three + ["--atomic"])
    let process = try scene.wait(for: "COMMIT")
    running.signal(SIGKILL)
    _ = try running.wait()
    try scene.terminate(process)
    let done = try resolve()
    #expect(done.end == .exit(0), "\(done.errors)")
    #expect(done.output.contains(#""decision":"rollback""#), "\(done.output)")
    try expectNone()
  }

  private func resolve(_ more: [String] = []) throws -> BuiltProgram.Outcome {
    let ends = ["--to", scene.iri]
    return try scene.program.run(["resolve"] + ends + more)
  }

  @Test("the one that decides is killed in COMMIT: the tool finds out, and rolls the others back")
  func decisiveKilled() throws {
    try slowCommit(1, seconds: 30)
    let running = try scene.start(three + ["--atomic", "--summary", "json"])
    try scene.terminate(try scene.wait(for: "COMMIT"))
    let outcome = try running.wait()
    #expect(outcome.end == .exit(2), "\(outcome.errors)")
    #expect(try scene.summary(outcome).statuses == ["rolled_back", "rolled_back", "rolled_back"])
    try expectNone()
  }

  @Test("another one is killed while it prepares: none commits")
  func preparingKilled() throws {
    try slowCommit(2, seconds: 30)
    let running = try scene.start(three + ["--atomic", "--summary", "json"])
    try scene.terminate(try scene.wait(for: "PREPARE TRANSACTION%", in: "PgSleep"))
    let outcome = try running.wait()
    #expect(outcome.end == .exit(2), "\(outcome.errors)")
    try expectNone()
  }

  @Test(
    "another one is killed after it has prepared, before its answer: none commits, nothing is left")
  func preparedKilled() throws {
    // Waits for a standby that is not there, which is after the work is done.
    let waiting = try cluster.iri("postgres", "-c synchronous_commit=on")
    let running = try scene.start(
      scene.to(1) + ["--to", "\(waiting);table=\(scene.name)_2"] + scene.to(3) + ["--atomic"])
    try scene.terminate(try scene.wait(for: "PREPARE TRANSACTION%", in: "SyncRep"))
    // The prepared transaction is ended in the same way, by a session that waits as well.
    try scene.terminate(try scene.wait(for: "ROLLBACK PREPARED%", in: "SyncRep"))
    let outcome = try running.wait()
    #expect(outcome.end == .exit(2), "\(outcome.errors)")
    try expectNone()
  }

  @Test("a session is killed in COMMIT PREPARED, when its work is done: all commit")
  func committingKilled() throws {
    let waiting = try cluster.iri("postgres", "-c synchronous_commit=on")
    let running = try scene.start(
      scene.to(1) + ["--to", "\(waiting);table=\(scene.name)_2"] + scene.to(3) + ["--atomic"])
    // A wait that is cancelled is over, and what it stood behind is done.
    let preparing = try scene.wait(for: "PREPARE TRANSACTION%", in: "SyncRep")
    try scene.db.query("SELECT pg_cancel_backend($1)", preparing)
    try scene.terminate(try scene.wait(for: "COMMIT PREPARED%", in: "SyncRep"))
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    try expectAll()
  }

  @Test("a session is killed between PREPARE and COMMIT PREPARED: another one commits")
  func idleKilled() throws {
    try slowCommit(1, seconds: 2)
    let running = try scene.start(three + ["--atomic"])
    try scene.wait(for: "COMMIT")
    try scene.terminate(try scene.wait(for: "PREPARE TRANSACTION%", state: "idle"))
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    try expectAll()
  }

  @Test(
    "the source is killed while receivers commit: it has done its part",
    arguments: [[], ["--atomic"]])
  func sourceKilled(more: [String]) throws {
    try slowCommit(1, seconds: 2)
    let running = try scene.start(three + ["--summary", "json"] + more)
    try scene.wait(for: "COMMIT")
    try scene.terminate(try scene.wait(for: "COPY \"\(scene.name)\" %TO STDOUT%", state: "idle%"))
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(try scene.summary(outcome).statuses == ["committed", "committed", "committed"])
    try expectAll()
  }

  @Test("the source is killed in COMMIT PREPARED: all commit")
  func sourceKilledAtTheEnd() throws {
    let waiting = try cluster.iri("postgres", "-c synchronous_commit=on")
    let running = try scene.start(
      scene.to(1) + ["--to", "\(waiting);table=\(scene.name)_2"] + scene.to(3) + ["--atomic"])
    let preparing = try scene.wait(for: "PREPARE TRANSACTION%", in: "SyncRep")
    try scene.db.query("SELECT pg_cancel_backend($1)", preparing)
    let committing = try scene.wait(for: "COMMIT PREPARED%", in: "SyncRep")
    try scene.terminate(try scene.wait(for: "COPY \"\(scene.name)\" %TO STDOUT%", state: "idle%"))
    try scene.db.query("SELECT pg_cancel_backend($1)", committing)
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    try expectAll()
  }

  @Test("a receiver whose answer to COMMIT is lost is asked what became of it")
  func answerLost() throws {
    let waiting = try cluster.iri("postgres", "-c synchronous_commit=on")
    let running = try scene.start(
      ["--to", "\(waiting);table=\(scene.name)_1", "--summary", "json"])
    try scene.terminate(try scene.wait(for: "COMMIT", in: "SyncRep"))
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(outcome.errors.contains("the connection was lost in COMMIT, but the rows are stored"))
    #expect(try scene.summary(outcome).statuses == ["committed"])
    #expect(try scene.isEqual(1))
  }

  @Test("a receiver that is killed in COMMIT before it has committed is known to have nothing")
  func commitKilled() throws {
    try slowCommit(2, seconds: 30)
    let running = try scene.start(three + ["--summary", "json"])
    try scene.terminate(try scene.wait(for: "COMMIT", in: "PgSleep"))
    let outcome = try running.wait()
    #expect(outcome.end == .exit(5), "\(outcome.errors)")
    #expect(try scene.summary(outcome).statuses == ["committed", "rolled_back", "committed"])
    #expect(try scene.isEqual(1))
    #expect(try scene.rows(2) == 0)
    #expect(try scene.isEqual(3))
  }
}
