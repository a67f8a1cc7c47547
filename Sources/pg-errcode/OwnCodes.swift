internal import ArgumentParser

/// The option `--codes`.
struct OwnCodes: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A file with codes of your own, in the form of errcodes.txt (may be given several times).",
      valueName: "file"),
    completion: .file())
  var codes: [String] = []
}
