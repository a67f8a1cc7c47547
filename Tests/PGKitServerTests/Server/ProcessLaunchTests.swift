import Foundation
import Testing

@testable import PGKit

@Suite("ProcessLaunch")
struct ProcessLaunchTests {
  private func shell(_ script: String, _ arguments: String...) -> ProcessLaunch {
    ProcessLaunch(
      "/bin/sh", ["-c", script, "sh"] + arguments, environment: ["PATH": "/usr/bin:/bin"])
  }

  private func output(of launch: ProcessLaunch) throws -> String {
    let (ending, text) = try launch.capture(until: .after(.seconds(20)))
    #expect(ending == .exited(0), "\(text)")
    return text
  }

  @Test("hands over arguments and environment as they are, and nothing else")
  func handsOver() throws {
    var launch = shell("printf '%s|' \"$@\"; env | sort | tr '\\n' '|'", "a b", "", "é\n'\"")
    launch.environment["X"] = "1=2"
    launch.directory = "/usr"
    let text = try output(of: launch)
    #expect(text.hasPrefix("a b||é\n'\"|"))
    #expect(text.contains("|X=1=2|"))
    #expect(text.contains("PWD=/usr|"))
    #expect(!text.contains("HOME="))
  }

  @Test("leaves no descriptor open but the standard three")
  func descriptors() throws {
    // Not marked close-on-exec, as a careless library might open it.
    let careless = open("/dev/null", O_RDONLY)
    defer { close(careless) }
    // To list a directory would open it, so each number is asked for.
    let ask = "n=0; while [ $n -lt 300 ]; do [ -e /proc/$$/fd/$n ] && echo $n; n=$((n+1)); done; :"
    #expect(try output(of: shell(ask)) == "0\n1\n2\n")
    var inheriting = shell("test -e /proc/self/fd/\(careless) && echo there")
    inheriting.inheritsDescriptors = true
    #expect(try output(of: inheriting) == "there\n")
  }

  @Test("starts with every signal at its default, and none blocked")
  func signals() throws {
    let text = try output(of: shell("grep -E 'Sig(Blk|Ign)' /proc/self/status"))
    let masks = text.split(whereSeparator: \.isWhitespace).filter { !$0.hasPrefix("Sig") }
    // Signals 32 and 33 belong to the C library, which lets nobody change them.
    let reserved: UInt64 = 3 << 31
    let set = masks.map { UInt64($0, radix: 16).map { $0 & ~reserved } }
    #expect(set == [0, 0], "\(masks)")
  }

  @Test("ends a program with the thread that started it, if that is wanted")
  func endsWithThread() throws {
    for isWanted in [true, false] {
      var launch = ProcessLaunch("/bin/sleep", ["60"], environment: [:])
      launch.endsWithThread = isWanted
      let ready = launch
      let (started, done) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
      nonisolated(unsafe) var child: Result<ChildProcess, any Error>?
      Thread.detachNewThread {
        child = Result { try ready.start() }
        started.signal()
        done.wait()
      }
      started.wait()
      let process = try #require(try child?.get())
      #expect(process.wait(until: .after(.milliseconds(100))) == nil)
      done.signal()
      let ending = process.wait(until: .after(isWanted ? .seconds(10) : .milliseconds(300)))
      #expect(ending == (isWanted ? .signalled(SIGTERM) : nil))
      if ending == nil { try process.send(SIGKILL) }
      _ = process.wait()
    }
  }

  @Test("gives a server a session of its own")
  func session() throws {
    let text = try output(of: shell("cut -d' ' -f1,6 /proc/$$/stat"))
    let numbers = text.split(whereSeparator: \.isWhitespace)
    #expect(numbers.count == 2 && numbers.first == numbers.last)
  }

  @Test(
    "becomes another user in the child alone",
    .enabled(if: geteuid() == 0, "the tests do not run as root"))
  func user() throws {
    var launch = shell("id -u; id -g; id -G")
    let nobody = try #require(ServerUser(named: "nobody"))
    launch.user = nobody
    let lines = try output(of: launch).split(separator: "\n")
    #expect(lines.first == "\(nobody.userID)")
    #expect(lines.dropFirst().first == "\(nobody.groupID)")
    let groups = Set((lines.last ?? "").split(separator: " ").compactMap { UInt32($0) })
    #expect(groups == Set(nobody.groups + [nobody.groupID]))
    #expect(geteuid() == 0)
    // What the user may not enter is said before anything runs.
    let closed = try DirectoryIdentity.makeUnique(under: "/tmp", owner: nil)
    defer { try? closed.remove() }
    launch.directory = closed.path
    let error = #expect(throws: PGError.self) { try launch.start() }
    #expect((error?.cause as? LaunchFault)?.step == .directory)
  }

  @Test("says how far it came when the program does not run")
  func faults() throws {
    func fault(_ launch: ProcessLaunch) -> LaunchFault? {
      #expect(throws: PGError.self) { try launch.start() }?.cause as? LaunchFault
    }
    let missing = fault(ProcessLaunch("/no/such/program", environment: [:]))
    #expect(missing?.isMissingProgram == true)
    let text = fault(ProcessLaunch("/etc/passwd", environment: [:]))
    #expect(text?.step == .exec)
    #expect(text?.isMissingProgram == false)
    var nowhere = shell("true")
    nowhere.directory = "/no/such/directory"
    #expect(fault(nowhere)?.step == .directory)
    var log = shell("true")
    log.outputFile = "/no/such/directory/log"
    #expect(fault(log)?.step == .output)
    #expect(throws: PGError.self) { try shell("true", "zero\u{0}byte").start() }
  }

  @Test("appends output to a file, but not through a link")
  func outputFile() throws {
    let folder = try DirectoryIdentity.makeUnique(under: "/tmp", owner: nil)
    defer { try? folder.remove() }
    var launch = shell("echo out; echo err >&2")
    launch.outputFile = folder.path + "/log"
    for _ in 0..<2 { #expect(try launch.start().wait() == .exited(0)) }
    #expect(try OpenFile.text(of: folder.path + "/log") == "out\nerr\nout\nerr\n")
    symlink(folder.path + "/log", folder.path + "/link")
    launch.outputFile = folder.path + "/link"
    #expect(throws: PGError.self) { try launch.start() }
  }

  @Test("tells exits from deaths, also to those who ask again")
  func endings() throws {
    #expect(try shell("exit 3").start().wait() == .exited(3))
    let child = try shell("kill -9 $$").start()
    #expect(child.wait() == .signalled(SIGKILL))
    #expect(child.wait() == .signalled(SIGKILL))
    #expect(child.wait()?.shellStatus == 137)
    try child.send(SIGTERM)
    let patient = try shell("exec sleep 30").start()
    #expect(patient.wait(until: .after(.milliseconds(50))) == nil)
    try patient.send(SIGTERM)
    #expect(patient.wait() == .signalled(SIGTERM))
  }

  @Test("waits neither for what runs too long nor for what is left behind")
  func deadlines() throws {
    let start = ContinuousClock.now
    let late = #expect(throws: PGError.self) {
      try shell("exec sleep 30").capture(until: .after(.milliseconds(200)))
    }
    #expect(late?.code == .clusterTimeoutError)
    // A grandchild that keeps the pipe does not hold up the answer.
    let (ending, text) = try shell("sleep 30 & echo done").capture(until: .after(.seconds(20)))
    #expect(ending == .exited(0))
    #expect(text == "done\n")
    #expect(ContinuousClock.now - start < .seconds(4))
  }
}
