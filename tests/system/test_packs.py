"""Members on three nodes publish packs, find them by name and tag, and fetch them through crashes."""

import os
import random
import subprocess
import unittest

from harness.daemon import LEITHER
from harness.network import wait_for
from harness.village import Village


def write_files(folder, files):
    for path, content in files.items():
        target = os.path.join(folder, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as out:
            out.write(content)


def read_files(folder):
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            with open(path, "rb") as content:
                found[os.path.relpath(path, folder)] = content.read()
    return found


class PackVillage(Village):
    def folder(self, name, files=None):
        path = os.path.join(self.scratch, name)
        if files is not None:
            os.mkdir(path)
            write_files(path, files)
        return path

    def publish(self, daemon, folder, name, key, *more):
        return self.leither(daemon, "app", "publish", folder, "--kind", "content", "--name", name, "--from", key, *more)

    def names(self, daemon):
        return [pack["name"] for pack in self.leither(daemon, "app", "list")]


class Packs(PackVillage):
    def test_what_one_publishes_others_find_fetch_and_pass_on(self):
        files = {"index.html": b"<p>Rye 120, wheat 100</p>\n", "pictures/a loaf.jpg": random.Random(1).randbytes(200_000),
                 "empty.txt": b""}
        folder = self.folder("prices", files)
        published = self.publish(self.a, folder, "Prices", "anna", "--version", "3", "--text", "What bread costs")
        self.assertEqual((published["files"], published["bytes"]), (3, 200_026))
        self.assertTrue(wait_for(lambda: "Prices" in self.names(self.b)), "B has not heard of it")
        shown = self.leither(self.b, "app", "show", "Prices")
        self.assertEqual((shown["id"], shown["version"], shown["local"], shown["files"]), (published["id"], "3", None, None))
        self.assertEqual(shown["applications"], [{"kind": "content", "entry": "index.html"}])

        out = self.folder("fetched by ben")
        self.leither(self.b, "app", "fetch", "Prices", "--out", out)
        self.assertEqual(read_files(out), files)
        self.leither(self.b, "app", "fetch", published["id"][:8], "--out", out)  # once more is no harm
        with open(os.path.join(out, "index.html"), "wb") as changed:
            changed.write(b"mine")
        self.assertEqual(self.refusal(self.b, "app", "fetch", "Prices", "--out", out), (4, "exists"))

        # The publisher is gone: B gives what it has.
        self.assertTrue(wait_for(lambda: "Prices" in self.names(self.c)))
        self.a.stop()
        self.assertTrue(wait_for(lambda: self.leither(self.c, "peers")))
        out = self.folder("fetched by cleo")
        self.leither(self.c, "app", "fetch", "Prices", "--out", out)
        self.assertEqual(read_files(out), files)
        self.leither(self.c, "app", "remove", "Prices")
        self.assertIsNone(self.leither(self.c, "app", "show", "Prices")["local"])
        self.a.start()

    def test_a_later_version_takes_the_place_of_the_first(self):
        folder = self.folder("shop", {"shop.html": b"one"})
        first = self.leither(self.a, "app", "publish", folder, "--kind", "service", "--kind", "tool", "--name", "Shop",
                             "--from", "anna")
        write_files(folder, {"shop.html": b"two", "more.html": b"more"})
        self.assertEqual(self.refusal(self.a, "app", "publish", folder, "--kind", "tool", "--name", "Shop", "--from", "anna"),
                         (2, "no_entry"))
        second = self.publish(self.a, folder, "Shop", "anna", "--version", "2", "--entry", "shop.html")
        self.assertNotEqual(first["id"], second["id"])
        self.assertTrue(wait_for(lambda: [one["id"] for one in self.leither(self.b, "app", "list")] == [second["id"]]))
        self.assertEqual(self.leither(self.a, "app", "show", "Shop")["local"]["state"], "complete")
        self.assertEqual(self.refusal(self.a, "app", "show", first["id"]), (1, "unknown_pack"))

    def test_what_cannot_be_published_or_fetched_is_refused_by_name(self):
        publish = lambda folder, *more: self.refusal(
            self.a, "app", "publish", folder, "--kind", "tool", "--name", "X", "--from", "anna", *more)
        good = self.folder("good", {"index.html": b"hello"})
        self.assertEqual(publish(self.folder("nowhere")), (4, "bad_folder"))
        self.assertEqual(publish(self.folder("empty", {})), (4, "empty_folder"))
        self.assertEqual(publish(self.folder("hidden", {"index.html": b"x", ".git/config": b"y"})), (4, "bad_path"))
        linked = self.folder("linked", {"index.html": b"x"})
        os.symlink("/etc/passwd", os.path.join(linked, "passwd"))
        self.assertEqual(publish(linked), (4, "not_a_file"))
        self.assertEqual(publish(self.folder("large", {"index.html": bytes((64 << 20) + 1)})), (4, "too_large"))
        self.assertEqual(publish(self.folder("many", {f"f{n}": b"x" for n in range(513)})), (4, "too_many_files"))
        self.assertEqual(publish(good, "--entry", "other.html"), (2, "no_entry"))
        self.assertEqual(publish(good, "--version", "v" * 25), (2, "text_too_long"))
        self.assertEqual(self.refusal(self.a, "app", "publish", good, "--kind", "game", "--name", "X", "--from", "anna"),
                         (2, "bad_kind"))
        self.leither(self.a, "key", "new", "stranger")
        self.assertEqual(self.refusal(self.a, "app", "publish", good, "--kind", "tool", "--name", "X", "--from", "stranger"),
                         (1, "not_a_member"))
        self.assertEqual(self.refusal(self.b, "app", "fetch", "Nothing", "--out", good), (1, "unknown_pack"))
        self.assertEqual(self.refusal(self.b, "app", "fetch", "7" * 64, "--out", good), (1, "not_found"))
        self.assertEqual(self.refusal(self.b, "app", "remove", "7" * 64), (1, "not_found"))

    def test_tags_are_found_on_every_node(self):
        pack = self.publish(self.a, self.folder("bakery", {"index.html": b"bread"}), "Bakery", "anna")
        self.leither(self.a, "tag", "add", "Bread", pack["id"], "--from", "anna")
        self.leither(self.b, "tag", "add", "bread", "The mill, every morning", "--from", "ben", "--days", "7")
        found = wait_for(lambda: len(self.leither(self.c, "tag", "search", "bread")) == 2 and
                         self.leither(self.c, "tag", "search", "BREAD"))
        self.assertTrue(found, self.leither(self.c, "tag", "search", "bread"))
        self.assertEqual([one["target"] for one in found], [{"text": "The mill, every morning"}, {"pack": pack["id"]}])
        self.c.kill()
        self.c.start()
        self.assertEqual(self.leither(self.c, "tag", "search", "bread", "--wait", "0"), found)
        self.assertEqual(self.leither(self.c, "tag", "search", "flour", "--wait", "1"), [])
        self.assertEqual(self.refusal(self.a, "tag", "add", "two words", "x", "--from", "anna"), (2, "bad_tag"))
        self.assertEqual(self.refusal(self.a, "tag", "add", "bread", "x" * 201, "--from", "anna"), (2, "text_too_long"))
        shown = self.c.run_leither("--wallet", self.wallet, "tag", "search", "bread").stdout
        self.assertIn("pack Bakery 1", shown)


    def test_a_withdrawn_tag_is_gone_also_where_the_node_was_away(self):
        place = "The mill, every morning"
        targets = lambda daemon: [one["target"] for one in self.leither(daemon, "tag", "search", "bread", "--wait", "0")]
        self.leither(self.b, "tag", "add", "bread", place, "--from", "ben")
        self.leither(self.a, "tag", "add", "bread", place, "--from", "anna")
        self.assertTrue(wait_for(lambda: len(targets(self.c)) == 2))
        self.c.kill()
        self.leither(self.b, "tag", "remove", "Bread", place, "--from", "ben")
        self.assertEqual(self.refusal(self.b, "tag", "remove", "bread", place, "--from", "ben"), (1, "not_found"))
        self.assertEqual(self.refusal(self.b, "tag", "remove", "bread", "elsewhere", "--from", "anna"), (1, "not_found"))
        self.assertEqual(self.refusal(self.b, "tag", "remove", "two words", place, "--from", "ben"), (2, "bad_tag"))
        self.assertTrue(wait_for(lambda: len(targets(self.a)) == 1))
        self.c.start()
        self.assertEqual(len(targets(self.c)), 2)  # as it was when it went
        self.assertTrue(wait_for(lambda: len(targets(self.c)) == 1), targets(self.c))
        self.assertEqual([len(targets(daemon)) for daemon in (self.a, self.b)], [1, 1])
        self.leither(self.b, "tag", "add", "bread", place, "--from", "ben", "--days", "3")
        self.assertTrue(wait_for(lambda: len(targets(self.c)) == 2))


class SlowLine(PackVillage):
    options = {"c": ["network.download_max=400KiB"], "b": ["content.max_bytes=1MiB"]}

    def progress(self, pack):
        return self.leither(self.c, "app", "show", pack)["local"] or {"done_bytes": 0, "state": "none"}

    def test_a_fetch_goes_on_after_kill_9_and_a_full_node_says_so(self):
        content = random.Random(2).randbytes(6 << 20)
        pack = self.publish(self.a, self.folder("film", {"film.mpg": content}), "Film", "anna")["id"]
        self.assertTrue(wait_for(lambda: "Film" in self.names(self.c)))
        out = self.folder("fetched")
        words = [LEITHER, "--data-dir", self.c.data_dir, "app", "fetch", "Film", "--out", out]
        first = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.assertTrue(wait_for(lambda: self.progress(pack)["done_bytes"] > 1 << 20, every=0.05))
        self.c.kill()
        self.assertNotEqual(first.wait(30), 0)
        self.assertFalse(os.path.exists(os.path.join(out, "film.mpg")))
        self.c.start()
        kept = self.progress(pack)
        self.assertGreater(kept["done_bytes"], 1 << 19)
        self.assertLess(kept["done_bytes"], 6 << 20)
        self.leither(self.c, "app", "fetch", "Film", "--out", out, timeout=120)
        self.assertEqual(read_files(out), {"film.mpg": content})

        self.assertTrue(wait_for(lambda: "Film" in self.names(self.b)))
        self.assertEqual(self.refusal(self.b, "app", "fetch", "Film", "--out", self.folder("none")), (1, "full"))


if __name__ == "__main__":
    unittest.main()
