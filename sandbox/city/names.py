"""Names of invented people: surnames by their frequency, given names by sex and generation."""

from functools import lru_cache

import numpy as np
import pyarrow as pa
from numpy.random import Generator

from sandbox.city.chance import Column, weighted
from sandbox.city.lettering import chosen, joined
from sandbox.city.people import MAN

# The commonest surnames, most frequent first; weights fall slowly as they do in the country.
SINGLE_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
    "余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
)
SURNAMES = (*SINGLE_SURNAMES, "欧阳", "司马", "上官", "诸葛")
SURNAME_WEIGHTS = np.concatenate([7.5 / (1 + np.arange(len(SINGLE_SURNAMES)) * 0.12), np.full(4, 0.02)])

# Characters of given names by sex (man, woman) and generation (before 1966, before 1995, later).
CHARACTERS = {
    (1, 0): "建国志明德福永贵春生文学金玉树林长海宝山振华庆祥忠厚世昌国栋光荣占元继先",
    (1, 1): "伟强磊军勇涛超鹏杰斌浩辉刚健亮波飞宇凯峰旭晨东亚楠博志立新海洋卫东利民",
    (1, 2): "子轩浩宇梓睿博文俊哲天佑嘉懿一诺皓铭宸熙辰逸承泽思远景行奕然启明沐阳",
    (2, 0): "秀英桂兰淑珍玉梅凤芹素云翠萍秋菊月娥惠敏爱莲瑞芝文霞春香宝珠亚琴",
    (2, 1): "丽娟艳红静敏婷雪倩丹晶莹洁琳颖燕娜玲芳慧佳欣琪璐瑶晓妍蕾薇爽蓉",
    (2, 2): "梓涵欣怡雨桐诗琪可馨语嫣思彤若汐芷萱沐瑶安然一诺佳宁悦宁奕萌清妍乐瑶",
}
NAMES_OF_POOL = 1500
POOLS = sorted(CHARACTERS)
SINGLE_CHARACTER_SHARES = {0: 0.10, 1: 0.30, 2: 0.12}

# Pairs that clerks confuse: they sound or look alike.
CONFUSED = dict(
    zip(
        "建国志明德福永贵春生文学金玉树林海宝山振华庆祥世昌光元伟强磊军勇涛超鹏杰斌浩辉刚健亮波飞宇凯峰旭晨东亚博"
        "立新洋民子轩梓睿俊天佑嘉懿一诺皓铭宸熙辰逸承泽思远景行然启沐阳秀英桂兰淑珍梅凤素云翠萍秋菊月惠敏爱莲瑞芝"
        "霞香珠琴丽娟艳红静婷雪倩丹晶莹洁琳颖燕娜玲芳慧佳欣琪璐瑶晓妍蕾薇蓉涵怡雨桐诗可馨语嫣彤若汐芷萱安宁悦奕萌清乐",
        "健囯智铭徳富咏桂椿升雯雪今钰澍琳每保珊震桦青翔士常广原炜蔷垒君永滔朝朋捷彬皓晖钢建靓博非羽恺锋煦辰冬雅波"
        "力欣阳珉梓宣子瑞骏添右佳意依喏浩明晨希晨毅诚择斯媛璟形燃奇木扬琇瑛贵岚淑臻玫风愫芸萃平邱鞠玥慧闽艾涟锐之"
        "瑕湘朱芹莉绢燕虹婧庭雯茜单菁盈结林影艳哪铃方惠嘉新绮露遥小研磊微溶寒宜语童思珂欣雨焉丹偌夕止轩按凝月弈蒙青月",
        strict=True,
    )
)
# Outside GBK, and one of the private use area as systems before GB18030-2022 wrote it.
RARE_CHARACTERS = ("䶮", "㛃", "\ue863")


@lru_cache(maxsize=1)
def given_names() -> tuple[str, ...]:
    """List all given names: one pool of equal size after the other."""
    rng = np.random.default_rng(11643)
    return tuple(
        name for pool in POOLS for name in _pool(rng, CHARACTERS[pool], SINGLE_CHARACTER_SHARES[pool[1]])
    )


@lru_cache(maxsize=1)
def confused_given_names() -> tuple[str, ...]:
    """List the given names again, each with one character mistaken."""
    return tuple(_confused(name) for name in given_names())


def draw_surnames(rng: Generator, count: int) -> Column:
    """Draw positions of surnames."""
    return weighted(rng, SURNAME_WEIGHTS, count).astype(np.int16)


def draw_given_names(rng: Generator, sexes: Column, years: Column) -> Column:
    """Draw positions of given names that suit sex and year of birth."""
    era = np.searchsorted([1966, 1995], years, side="right")
    pool = np.where(sexes == MAN, 0, 3) + era
    return (pool * NAMES_OF_POOL + rng.integers(0, NAMES_OF_POOL, len(sexes))).astype(np.int32)


def full_names(surnames: Column, givens: Column, *, confused: bool = False) -> pa.Array:
    """Write names; -1 for the given name gives null."""
    pool = confused_given_names() if confused else given_names()
    return joined(chosen(SURNAMES, surnames), chosen(pool, givens))


def surname_of(name: str) -> str:
    """Tell the surname that a name begins with."""
    return name[:2] if name[:2] in SURNAMES else name[0]


def _pool(rng: Generator, characters: str, single_share: float) -> list[str]:
    names = []
    for _ in range(NAMES_OF_POOL):
        first, second = rng.choice(len(characters), size=2, replace=False)
        single = rng.random() < single_share
        names.append(characters[first] if single else characters[first] + characters[second])
    return names


def _confused(name: str) -> str:
    for position in reversed(range(len(name))):
        other = CONFUSED.get(name[position])
        if other is not None and other != name[position]:
            return name[:position] + other + name[position + 1 :]
    return name + "儿"
