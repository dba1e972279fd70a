// Programs of the board on a page: free space, the addresses of a host, and the end of a log while it grows.
//
//     curl localhost:5000/disks        curl -d host=localhost localhost:5000/host        curl localhost:5000/log

import Martlet

struct Site: CommandApplication {
  enum Page: UInt8 { case index, disks, host, log }

  static func route(to page: Page) -> Route {
    switch page {
    case .index: .get("/", for: .everyone)
    case .disks: .get("/disks", for: .everyone)
    case .host: .post("/host", for: .everyone)
    case .log: .get("/log", for: .everyone)
    }
  }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    switch page {
    case .index:
      return response.html(
        """
        <!doctype html>
        <meta name="viewport" content="width=device-width">
        <title>Commands</title>
        <h1>Commands</h1>
        <p><a href="/disks">Disks</a>, <a href="/log">log</a></p>
        <form method="post" action="/host">
        <label>Host <input name="host" maxlength="64" required></label> <button>Look up</button>
        </form>
        """)
    case .disks:
      return response.output(of: Command(["/bin/df", "-h"]))
    case .host:
      guard let host: Text<64> = request.form["host"]?.text() else {
        return response.refuse(.badRequest, "A host has at most 64 octets.")
      }
      var command = Command(["/usr/bin/getent", "ahosts"])
      command.append(value: host.span)
      return response.output(of: command, as: "text/html; charset=utf-8", atMostSeconds: 20)
    case .log:
      // The log of this example; that of most boards is /var/log/messages.
      let command = Command(["/usr/bin/tail", "-F", "-n20", "commands-example.log"])
      return response.output(of: command, atMostSeconds: 3_600)
    }
  }

  func write(_ page: Page, _ state: inout StreamState, to body: inout StreamBody) -> StreamStep {
    guard page == .host else {
      guard case .goesOn(let step) = body.write(output: state) else { return .end }
      return step
    }
    if state.position == 0 { body.write("<!doctype html><title>Host</title>\n<pre>") }
    state.position = 1
    switch body.write(escapedOutput: state) {
    case .goesOn(let step): return step
    case .ended(.exited(status: 0)): body.write("</pre>\n<p>These are its addresses.</p>\n")
    case .ended(.exited(let status)): body.write("</pre>\n<p>There is no such host (status \(status)).</p>\n")
    case .ended: body.write("</pre>\n<p>The search took too long.</p>\n")
    }
    return .end
  }
}

@main
enum CommandsExample {
  static func main() {
    serve(Site(), Options(program: "commands-example", listen: "127.0.0.1:5000"))
  }
}
