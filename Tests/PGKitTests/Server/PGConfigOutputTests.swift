import PGKit
import Testing

@Suite("PGConfigOutput")
struct PGConfigOutputTests {
  @Test("reads names and values, and the options of configure")
  func reads() {
    let output = PGConfigOutput(
      parsing: """
        BINDIR = /usr/lib/postgresql/15/bin
        CONFIGURE =  '--with-openssl' '--with-pgport=5432' 'CFLAGS=-g -O2'
        VERSION = PostgreSQL 15.18 (Debian 15.18-0+deb12u1)
        no value here
        EMPTY =
        """)
    #expect(output.binaryDirectory == "/usr/lib/postgresql/15/bin")
    #expect(output["version"] == "PostgreSQL 15.18 (Debian 15.18-0+deb12u1)")
    #expect(output["VERSION"] == output["version"])
    #expect(output["empty"] == "")
    #expect(output["absent"] == nil)
    #expect(output.configureOptions["with_openssl"] == "")
    #expect(output.configureOptions["with_pgport"] == "5432")
  }
}
