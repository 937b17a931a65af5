"""What does the demo shop sell? Product number n is always the same product."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Shelf:
    """A leaf of the category tree: nouns times materials times styles are its products."""

    prefix: str
    name: str
    parent: str
    nouns: tuple[str, ...]
    materials: tuple[str, ...]
    from_eur: int
    to_eur: int


@dataclass(frozen=True)
class Article:
    sku: str
    name: str
    shelf: str
    description: str
    price: Decimal
    stock: int


STYLES = ("Nordic", "Classic", "Urban", "Alpine", "Coastal", "Slim", "Everyday", "Studio", "Compact", "Heritage")
SHELVES = (
    Shelf("TAB", "Tables", "Home", ("Desk", "Table", "Console", "Bench"), ("Oak", "Walnut", "Pine", "Ash"), 89, 690),
    Shelf(
        "LIG",
        "Lighting",
        "Home",
        ("Lamp", "Lantern", "Pendant", "Sconce"),
        ("Brass", "Linen", "Glass", "Steel"),
        19,
        240,
    ),
    Shelf(
        "TEX", "Textiles", "Home", ("Blanket", "Cushion", "Rug", "Throw"), ("Wool", "Cotton", "Linen", "Jute"), 14, 180
    ),
    Shelf(
        "POT", "Cookware", "Kitchen", ("Pan", "Pot", "Casserole", "Wok"), ("Steel", "Iron", "Copper", "Enamel"), 24, 220
    ),
    Shelf(
        "CUP",
        "Tableware",
        "Kitchen",
        ("Mug", "Plate", "Bowl", "Jug"),
        ("Stoneware", "Porcelain", "Glass", "Bamboo"),
        6,
        48,
    ),
    Shelf(
        "KNI",
        "Knives",
        "Kitchen",
        ("Knife", "Cleaver", "Peeler", "Slicer"),
        ("Damask", "Steel", "Ceramic", "Carbon"),
        9,
        190,
    ),
    Shelf(
        "SHI", "Shirts", "Clothing", ("Shirt", "Polo", "Blouse", "Tee"), ("Cotton", "Linen", "Flannel", "Hemp"), 15, 95
    ),
    Shelf(
        "JAC", "Jackets", "Clothing", ("Jacket", "Parka", "Vest", "Coat"), ("Down", "Wool", "Denim", "Waxed"), 59, 420
    ),
    Shelf(
        "SHO",
        "Shoes",
        "Clothing",
        ("Boot", "Sneaker", "Loafer", "Sandal"),
        ("Leather", "Suede", "Canvas", "Knit"),
        35,
        260,
    ),
    Shelf(
        "TEN", "Camping", "Outdoor", ("Tent", "Tarp", "Hammock", "Mat"), ("Nylon", "Canvas", "Ripstop", "Foam"), 22, 480
    ),
    Shelf(
        "BAG",
        "Bags",
        "Outdoor",
        ("Backpack", "Duffel", "Pouch", "Tote"),
        ("Canvas", "Leather", "Nylon", "Recycled"),
        12,
        210,
    ),
    Shelf(
        "BIK",
        "Cycling",
        "Outdoor",
        ("Saddle", "Pannier", "Helmet", "Pump"),
        ("Carbon", "Leather", "Alloy", "Cork"),
        18,
        310,
    ),
)
PER_SHELF = 4 * 4 * len(STYLES)
MAX_ARTICLES = 999_999  # a SKU ends in five digits or, from the hundred thousandth on, six
# A prime that divides no shelf's size: its multiples visit every combination once, in an order that looks mixed. Each
# shelf begins elsewhere, so that neighbours differ.
STEP = 71


def articles(count: int) -> Iterator[Article]:
    """Yields the first `count` articles, shelf by shelf in turn."""
    for number in range(count):
        turn, place = divmod(number, len(SHELVES))
        edition, turn = divmod(turn, PER_SHELF)
        yield _article(SHELVES[place], number + 1, (turn * STEP + place * 23) % PER_SHELF, edition)


def _article(shelf: Shelf, number: int, combination: int, edition: int) -> Article:
    rest, noun = divmod(combination, len(shelf.nouns))
    style, material = divmod(rest, len(shelf.materials))
    name = f"{STYLES[style]} {shelf.materials[material]} {shelf.nouns[noun]}"
    if edition:
        name += f" {edition + 1}"
    sku = f"{shelf.prefix}-{number:05}"
    # A checksum is chance enough, and the same on every machine.
    chance = zlib.crc32(sku.encode())
    euros = shelf.from_eur + chance % (shelf.to_eur - shelf.from_eur)
    return Article(
        sku=sku,
        name=name,
        shelf=shelf.name,
        description=f"{shelf.nouns[noun]} of {shelf.materials[material].lower()}, from our {STYLES[style]} line.",
        price=euros + Decimal((0, 49, 90, 95, 99)[chance // 7 % 5]) / 100,
        # One in sixteen is sold out.
        stock=0 if chance // 11 % 16 == 0 else 1 + chance // 13 % 180,
    )
