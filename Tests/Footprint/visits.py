"""What each program is asked: first a login, where it has one, then the same page again and
again.
"""

REQUESTS = 1000
SECRET = "a secret of at least thirty-two octets"
NAME, PASSWORD = "admin", "correct horse battery"
CODE = r"set-up code: ([0-9A-Z-]+)"

PROGRAMS = ("hello-example", "login-example", "martlet-panel")


def arguments(program, data):
    return {
        "hello-example": [],
        "login-example": ["--secret", SECRET],
        "martlet-panel": ["--data", f"{data}/data"]
    }[program]


def enter(program, running, visitor):
    """The way in, to the first page that needs it. Without a login: the first page."""
    if program == "login-example":
        visitor.expect(302, "POST", "/login", {"username": "susan", "password": "hello"})
    elif program == "martlet-panel":
        code = running.wait_for(CODE)[1]
        visitor.expect(302, "POST", "/setup", {
            "code": code,
            "username": NAME,
            "password": PASSWORD,
            "password_again": PASSWORD
        })
        visitor.expect(302, "POST", "/login", {"username": NAME, "password": PASSWORD})
    visitor.expect(200, "GET", "/")


def serve(visitor, times=REQUESTS):
    for _ in range(times):
        visitor.expect(200, "GET", "/")
