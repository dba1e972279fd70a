"""Microdot's login example for CPython and MicroPython. Usage: login.py PORT SECRET

The pages, users and forms of the login example in Microdot's documentation. Passwords are compared
as they are: MicroPython has no PBKDF2, so nobody's memory contains it.
"""

import sys

from microdot import Microdot, redirect
from microdot.login import Login
from microdot.session import Session

HTML = {"Content-Type": "text/html"}


class User:
    def __init__(self, id, username, password):
        self.id = id
        self.username = username
        self.password = password


USERS = {"user001": User("user001", "susan", "hello"), "user002": User("user002", "david", "bye")}

app = Microdot()
login = Login()


@login.user_loader
async def load_user(user_id):
    return USERS.get(user_id)


@app.get("/login")
async def login_page(request):
    return """<!doctype html>
<h1>Please Login</h1>
<form method="POST">
  <p>Username<br><input name="username" autofocus></p>
  <p>Password:<br><input name="password" type="password"></p>
  <p><input name="remember_me" type="checkbox"> Remember me</p>
  <p><button type="submit">Login</button></p>
</form>""", HTML


@app.post("/login")
async def log_in(request):
    for user in USERS.values():
        if user.username == request.form["username"]:
            if user.password == request.form["password"]:
                return await login.login_user(request,
                                              user,
                                              remember=bool(request.form.get("remember_me")))
    return redirect("/login")


@app.get("/")
@login
async def index(request):
    return """<!doctype html>
<h1>Hello, {username}!</h1>
<p><a href="/fresh">Click here</a> to access the fresh login page.</p>
<form method="POST" action="/logout"><button type="submit">Logout</button></form>""".format(
        username=request.g.current_user.username), HTML


@app.get("/fresh")
@login.fresh
async def fresh(request):
    return "<h1>Hello, {}!</h1>".format(request.g.current_user.username), HTML


@app.post("/logout")
@login
async def log_out(request):
    await login.logout_user(request)
    return redirect("/")


if __name__ == "__main__":
    Session(app, secret_key=sys.argv[2])
    app.run(host="127.0.0.1", port=int(sys.argv[1]))
