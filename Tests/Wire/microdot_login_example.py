"""Microdot's login example, as the other side of the comparison.

Usage: microdot_login_example.py PORT SECRET

The routes, users, form fields and answers are those of the login example in Microdot's
documentation. Passwords are compared as they are, because the cost of hashing is not what is
compared here. Port 0 lets the system choose; the line printed says which port it is.
"""

import asyncio
import sys
import warnings

import jwt
from microdot import Microdot, redirect
from microdot.login import Login
from microdot.session import Session

HTML = {"Content-Type": "text/html"}


class User:
    def __init__(self, id, username, password):
        self.id = id
        self.username = username
        self.password = password


USERS = {user.id: user for user in (User("user001", "susan", "hello"),
                                    User("user002", "david", "bye"))}

app = Microdot()
login = Login()


@login.user_loader
async def load_user(user_id):
    return USERS.get(user_id)


@app.get("/login")
async def login_page(request):
    return """<!doctype html><h1>Please log in</h1>
<form method="POST"><input name="username"><input type="password" name="password">
<input type="checkbox" name="remember_me"><button type="submit">Log in</button></form>""", HTML


@app.post("/login")
async def log_in(request):
    for user in USERS.values():
        if user.username == request.form["username"]:
            if user.password == request.form["password"]:
                return await login.login_user(request, user,
                                              remember=bool(request.form.get("remember_me")))
    return redirect("/login")


@app.get("/")
@login
async def index(request):
    return f"<h1>Hello, {request.g.current_user.username}!</h1>", HTML


@app.get("/fresh")
@login.fresh
async def fresh(request):
    return f"<h1>Hello, {request.g.current_user.username}!</h1><p>Fresh.</p>", HTML


@app.post("/logout")
@login
async def log_out(request):
    await login.logout_user(request)
    return redirect("/")


async def main(port, secret):
    Session(app, secret_key=secret)
    serving = asyncio.create_task(app.start_server(host="127.0.0.1", port=port))
    while app.server is None:
        await asyncio.sleep(0.01)
    number = app.server.sockets[0].getsockname()[1]
    print(f"microdot: listening on http://127.0.0.1:{number}/", flush=True)
    await serving


if __name__ == "__main__":
    warnings.simplefilter("ignore", jwt.warnings.InsecureKeyLengthWarning)
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
