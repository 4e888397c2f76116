"""What a model hub answers, on `webserver`: what it knows of a model, its files, commits."""

import base64
import hashlib
import json

from tests.helpers.webserver import serve

LARGE = 50_000  # bytes from which a file is kept by its SHA-256


class FakeHub:
    """One repository on a hub that can be read and written."""

    def __init__(self, web, name="someone/moji"):
        self.web, self.name, self.files, self.private = web, name, {}, False
        self.exists, self.asked, self.uploads = True, [], {}
        api = f"/api/models/{name}"
        for revision in ("main", "v1"):
            web.files[f"{api}/revision/{revision}"] = self._info
        web.files[api] = self._info
        web.files[f"{api}/tree/main"] = self._tree
        web.files[f"{api}/preupload/main"] = self._preupload
        web.files[f"{api}/commit/main"] = self._commit
        web.files["/api/repos/create"] = self._create
        web.files["/api/validate-yaml"] = lambda handler, _: answer(handler, {})
        web.files[f"/{name}.git/info/lfs/objects/batch"] = self._batch

    @property
    def commit(self):
        """Changes with the files, as git's do."""
        digest = hashlib.sha1(usedforsecurity=False)
        for name, content in sorted(self.files.items()):
            digest.update(f"{name} {len(content)}".encode() + content)
        return digest.hexdigest()

    def put(self, folder):
        """Take a folder's files, and serve them."""
        self.files = {path.name: path.read_bytes() for path in folder.iterdir()}
        self.publish()

    def publish(self):
        for name in self.files:
            self.web.files[f"/{self.name}/resolve/{self.commit}/{name}"] = self.files[name]
            self.web.files[f"/api/models/{self.name}/revision/{self.commit}"] = self._info

    def resolve(self, name):
        return f"/{self.name}/resolve/{self.commit}/{name}"

    def fetched(self):
        """The names of the files that were asked for."""
        return [path.split("/")[-1] for _, path, _, _ in self.web.requests if "/resolve/" in path]

    def _info(self, handler, _):
        if not self.exists:
            return answer(handler, {"error": "Repository not found"}, 404)
        siblings = [{"rfilename": name, **_facts(self.files[name])} for name in self.files]
        facts = {"id": self.name, "sha": self.commit, "siblings": siblings}
        return answer(handler, facts | {"private": self.private})

    def _tree(self, handler, _):
        rows = [
            {"type": "file", "path": name, "size": len(content), "oid": "0" * 40}
            for name, content in self.files.items()
        ]
        answer(handler, rows)

    def _create(self, handler, body):
        wish = json.loads(body)
        self.asked.append(wish)
        if self.exists:
            address = f"{self.web.address}/{self.name}"
            return answer(handler, {"error": "exists already", "url": address}, 409)
        self.exists = True
        self.private = wish.get("visibility") == "private" or bool(wish.get("private"))
        return answer(handler, {"url": f"{self.web.address}/{self.name}"})

    def _preupload(self, handler, body):
        files = [
            {
                "path": each["path"],
                "uploadMode": "lfs" if each["size"] >= LARGE else "regular",
                "shouldIgnore": False,
            }
            for each in json.loads(body)["files"]
        ]
        answer(handler, {"files": files})

    def _batch(self, handler, body):
        objects = []
        for each in json.loads(body)["objects"]:
            path = f"/upload/{each['oid']}"
            self.web.files[path] = self._upload
            href = {"upload": {"href": self.web.at(path)}}
            objects.append({**each, "authenticated": True, "actions": href})
        answer(handler, {"transfer": "basic", "objects": objects})

    def _upload(self, handler, body):
        self.uploads[handler.path.split("/")[-1]] = body
        answer(handler, {})

    def _commit(self, handler, body):
        lines = [json.loads(line) for line in body.decode().splitlines()]
        self.asked.append(lines[0]["value"])
        for line in lines[1:]:
            value = line["value"]
            match line["key"]:
                case "file":
                    self.files[value["path"]] = base64.b64decode(value["content"])
                case "lfsFile":
                    self.files[value["path"]] = self.uploads[value["oid"]]
                case "deletedFile":
                    del self.files[value["path"]]
        self.publish()
        url = f"{self.web.address}/{self.name}/commit/{self.commit}"
        answer(handler, {"success": True, "commitOid": self.commit, "commitUrl": url})


def _facts(content):
    blob = f"blob {len(content)}\0".encode() + content
    facts = {"size": len(content), "blobId": hashlib.sha1(blob, usedforsecurity=False).hexdigest()}
    if len(content) >= LARGE:
        sha256 = hashlib.sha256(content).hexdigest()
        facts["lfs"] = {"sha256": sha256, "size": len(content), "pointerSize": 130}
    return facts


def answer(handler, value, code=200):
    """Answer with JSON."""
    handler.answer(json.dumps(value).encode(), code, Content_Type="application/json")


def needing_token(handler, content):
    """Serve to those who show the token, as for what is private."""
    if handler.headers.get("Authorization") == "Bearer hf_secret":
        serve(handler, content)
    else:
        answer(handler, {"error": "Invalid credentials"}, 401)
