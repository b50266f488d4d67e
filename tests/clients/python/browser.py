"""A browser as far as the login pages need one: it keeps cookies, follows redirects, and sends forms."""

from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

# More pages and redirects than any login has.
STEPS_MAX = 12


class Browser:
    """One user's browser."""

    def __init__(self):
        self._session = requests.Session()

    def visit(self, url, redirect_uri, answers):
        """Opens `url`, and on each page on the way sends the form that has one of the buttons in `answers`, with its
        fields filled in as they say. Returns the URL of `redirect_uri` that the server sends the browser to in the end.
        """
        request = requests.Request("GET", url)
        for _ in range(STEPS_MAX):
            prepared = self._session.prepare_request(request)
            response = self._session.send(prepared, allow_redirects=False)
            location = response.headers.get("Location")
            if location is not None:
                url = urljoin(url, location)
                if url.split("?")[0] == redirect_uri:
                    return url
                request = requests.Request("GET", url)
                continue
            form = next((form for form in Forms(response.text).all if form.pressed(answers)), None)
            if response.status_code != 200 or form is None:
                raise AssertionError(f"{response.status_code} at {url}:\n{response.text}")
            url = urljoin(url, form.action)
            request = requests.Request("POST", url, data=form.filled(answers))
        raise AssertionError(f"{STEPS_MAX} pages later the browser was not sent back")


class Forms(HTMLParser):
    """Every form of a page."""

    def __init__(self, page):
        super().__init__()
        self.all = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "form":
            self.all.append(Form(attributes["action"]))
        elif tag in ("input", "button") and "name" in attributes and self.all:
            self.all[-1].add(tag, attributes)


class Form:
    """Where a form is sent to, its fields, and its buttons."""

    def __init__(self, action):
        self.action = action
        self._fields = []
        self._buttons = []

    def add(self, tag, attributes):
        control = (attributes["name"], attributes.get("value", ""))
        if tag == "button":
            self._buttons.append(control)
        elif attributes.get("type") != "checkbox" or "checked" in attributes:
            self._fields.append(control)

    def pressed(self, answers):
        """The buttons that the answers press."""
        return [(name, value) for name, value in self._buttons if answers.get(name) == value]

    def filled(self, answers):
        """What a browser sends."""
        fields = [(name, answers.get(name, value)) for name, value in self._fields]
        return fields + self.pressed(answers)
