"""What the methods paragraph cites: one list, as text and as BibTeX."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from srqa import __version__


@dataclass(frozen=True, slots=True)
class Reference:
    """A work that is cited.

    Attributes:
        key: of BibTeX.
        kind: of the entry.
        author: as BibTeX has it, " and " between persons; institutions in braces.
        title: of the work.
        place: BibTeX fields besides author, title and year, such as journal and pages.
        year: of appearance.
    """

    key: str
    kind: str
    author: str
    title: str
    place: dict[str, str]
    year: str

    def plain(self) -> str:
        """As text for a list of references."""
        people = [_turned(name) for name in self.author.split(" and ")]
        who = people[0] if len(people) == 1 else f"{', '.join(people[:-1])} and {people[-1]}"
        place = ", ".join(_worded(field, value) for field, value in self.place.items())
        end = "" if self.title.endswith(("?", "!")) else ","
        return f"{who}, {self.title}{end} {place}, {self.year}."

    def bibtex(self) -> str:
        """As an entry of a .bib file."""
        fields = {"author": self.author, "title": f"{{{self.title}}}", **self.place}
        fields["year"] = self.year
        lines = [f"  {name} = {{{value}}}," for name, value in fields.items()]
        return "\n".join([f"@{self.kind}{{{self.key},", *lines, "}"]).replace("–", "--") + "\n"


def _turned(name: str) -> str:
    family, _, given = name.strip("{}").partition(", ")
    return f"{given} {family}".strip()


def _worded(field: str, value: str) -> str:
    value = value.replace("{", "").replace("}", "")
    prefix = {"volume": "vol. ", "number": "no. ", "pages": "pp. ", "note": ""}
    return prefix.get(field, "") + value


def _article(key: str, author: str, title: str, journal: str, volume: str, number: str,
             pages: str, year: str) -> Reference:  # fmt: skip
    place = {"journal": journal, "volume": volume, "number": number, "pages": pages}
    return Reference(key, "article", author, title, {k: v for k, v in place.items() if v}, year)


def _standard(key: str, body: str, number: str, title: str, year: str) -> Reference:
    return Reference(key, "techreport", f"{{{body}}}", title, {"institution": number}, year)


REFERENCES = {
    found.key: found
    for found in (
        _standard(
            "p910", "ITU-T", "Recommendation ITU-T P.910",
            "Subjective video quality assessment methods for multimedia applications", "2023",
        ),
        _standard(
            "p913", "ITU-T", "Recommendation ITU-T P.913",
            "Methods for the subjective assessment of video quality, audio quality and audiovisual "
            "quality of Internet video and distribution quality television in any environment",
            "2021",
        ),
        _standard(
            "bt500", "ITU-R", "Recommendation ITU-R BT.500-15",
            "Methodologies for the subjective assessment of the quality of television images",
            "2023",
        ),
        Reference(
            "li2020", "inproceedings",
            "Li, Zhi and Bampis, Christos G. and Krasula, Lukáš and Janowski, Lucjan and "
            "Katsavounidis, Ioannis",
            "A simple model for subject behavior in subjective experiments",
            {"booktitle": "Human Vision and Electronic Imaging"}, "2020",
        ),
        Reference(
            "zhu2023", "inproceedings",
            "Zhu, Jingwen and Ak, Ali and Le Callet, Patrick and Sethuraman, Sriram and "
            "Rahul, Kumar",
            "ZREC: Robust recovery of mean and percentile opinion scores",
            {"booktitle": "IEEE International Conference on Image Processing"}, "2023",
        ),
        _article(
            "janowski2015", "Janowski, Lucjan and Pinson, Margaret",
            "The accuracy of subjects in a quality experiment: A theoretical subject model",
            "IEEE Transactions on Multimedia", "17", "12", "2210–2224", "2015",
        ),
        _article(
            "henderson1975", "Henderson, C. R.",
            "Best linear unbiased estimation and prediction under a selection model",
            "Biometrics", "31", "2", "423–447", "1975",
        ),
        _article(
            "hesterberg2015", "Hesterberg, Tim C.",
            "What teachers should know about the bootstrap", "The American Statistician", "69",
            "4", "371–386", "2015",
        ),
        Reference(
            "hossfeld2011", "inproceedings",
            "Hoßfeld, Tobias and Schatz, Raimund and Egger, Sebastian",
            "SOS: The MOS is not enough!",
            {"booktitle": "International Workshop on Quality of Multimedia Experience"}, "2011",
        ),
        _article(
            "mcgraw1996", "McGraw, Kenneth O. and Wong, S. P.",
            "Forming inferences about some intraclass correlation coefficients",
            "Psychological Methods", "1", "1", "30–46", "1996",
        ),
        Reference(
            "krippendorff2019", "book", "Krippendorff, Klaus",
            "Content analysis: An introduction to its methodology",
            {"edition": "4th edition", "publisher": "Sage"}, "2019",
        ),
        _article(
            "brown1910", "Brown, William",
            "Some experimental results in the correlation of mental abilities",
            "British Journal of Psychology", "3", "3", "296–322", "1910",
        ),
        _article(
            "holm1979", "Holm, Sture", "A simple sequentially rejective multiple test procedure",
            "Scandinavian Journal of Statistics", "6", "2", "65–70", "1979",
        ),
        _article(
            "benjamini1995", "Benjamini, Yoav and Hochberg, Yosef",
            "Controlling the false discovery rate: A practical and powerful approach to multiple "
            "testing", "Journal of the Royal Statistical Society B", "57", "1", "289–300", "1995",
        ),
        _article(
            "schuirmann1987", "Schuirmann, Donald J.",
            "A comparison of the two one-sided tests procedure and the power approach for "
            "assessing the equivalence of average bioavailability",
            "Journal of Pharmacokinetics and Biopharmaceutics", "15", "6", "657–680", "1987",
        ),
        _article(
            "piepho2004", "Piepho, Hans-Peter",
            "An algorithm for a letter-based representation of all-pairwise comparisons",
            "Journal of Computational and Graphical Statistics", "13", "2", "456–466", "2004",
        ),
        _article(
            "wilcoxon1945", "Wilcoxon, Frank", "Individual comparisons by ranking methods",
            "Biometrics Bulletin", "1", "6", "80–83", "1945",
        ),
        _article(
            "patterson1971", "Patterson, H. D. and Thompson, R.",
            "Recovery of inter-block information when block sizes are unequal", "Biometrika", "58",
            "3", "545–554", "1971",
        ),
        _article(
            "thurstone1927", "Thurstone, L. L.", "A law of comparative judgment",
            "Psychological Review", "34", "4", "273–286", "1927",
        ),
        _article(
            "bradley1952", "Bradley, Ralph Allan and Terry, Milton E.",
            "Rank analysis of incomplete block designs: I. The method of paired comparisons",
            "Biometrika", "39", "3/4", "324–345", "1952",
        ),
        _article(
            "glenn1960", "Glenn, W. A. and David, H. A.",
            "Ties in paired-comparison experiments using a modified Thurstone-Mosteller model",
            "Biometrics", "16", "1", "86–109", "1960",
        ),
        _article(
            "rao1967", "Rao, P. V. and Kupper, L. L.",
            "Ties in paired-comparison experiments: A generalization of the Bradley-Terry model",
            "Journal of the American Statistical Association", "62", "317", "194–204", "1967",
        ),
        _article(
            "davidson1970", "Davidson, Roger R.",
            "On extending the Bradley-Terry model to accommodate ties in paired comparison "
            "experiments", "Journal of the American Statistical Association", "65", "329",
            "317–328", "1970",
        ),
        Reference(
            "perezortiz2017", "misc", "Perez-Ortiz, Maria and Mantiuk, Rafał K.",
            "A practical guide and software for analysing pairwise comparison experiments",
            {"note": "arXiv:1712.03686"}, "2017",
        ),
        Reference(
            "westfall1993", "book", "Westfall, Peter H. and Young, S. Stanley",
            "Resampling-based multiple testing: Examples and methods for p-value adjustment",
            {"publisher": "Wiley"}, "1993",
        ),
        _article(
            "men2021", "Men, Hui and Lin, Hanhe and Jenadeleh, Mohsen and Saupe, Dietmar",
            "Subjective image quality assessment with boosted triplet comparisons", "IEEE Access",
            "9", "", "", "2021",
        ),
        _standard(
            "p1401", "ITU-T", "Recommendation ITU-T P.1401",
            "Methods, metrics and procedures for statistical evaluation, qualification and "
            "comparison of objective quality prediction models", "2020",
        ),
        _article(
            "spearman1904", "Spearman, Charles",
            "The proof and measurement of association between two things",
            "The American Journal of Psychology", "15", "1", "72–101", "1904",
        ),
        _article(
            "kendall1945", "Kendall, M. G.", "The treatment of ties in ranking problems",
            "Biometrika", "33", "3", "239–251", "1945",
        ),
        _article(
            "bonett2000", "Bonett, Douglas G. and Wright, Thomas A.",
            "Sample size requirements for estimating Pearson, Kendall and Spearman correlations",
            "Psychometrika", "65", "1", "23–28", "2000",
        ),
        _article(
            "tukey1958", "Tukey, John W.",
            "Bias and confidence in not quite large samples (abstract)",
            "The Annals of Mathematical Statistics", "29", "2", "614", "1958",
        ),
        _article(
            "potthoff1992", "Potthoff, Richard F. and Woodbury, Max A. and Manton, Kenneth G.",
            "“Equivalent sample size” and “equivalent degrees of freedom” refinements for "
            "inference using survey weights under superpopulation models",
            "Journal of the American Statistical Association", "87", "418", "383–396", "1992",
        ),
        _article(
            "meng1992", "Meng, Xiao-Li and Rosenthal, Robert and Rubin, Donald B.",
            "Comparing correlated correlation coefficients", "Psychological Bulletin", "111", "1",
            "172–175", "1992",
        ),
        _article(
            "steiger1980", "Steiger, James H.",
            "Tests for comparing elements of a correlation matrix", "Psychological Bulletin",
            "87", "2", "245–251", "1980",
        ),
        _article(
            "sheikh2006", "Sheikh, Hamid R. and Sabir, Muhammad F. and Bovik, Alan C.",
            "A statistical evaluation of recent full reference image quality assessment "
            "algorithms", "IEEE Transactions on Image Processing", "15", "11", "3440–3451", "2006",
        ),
        Reference(
            "vqeg2003", "techreport", "{Video Quality Experts Group}",
            "Final report on the validation of objective models of video quality assessment, "
            "phase II", {"institution": "VQEG"}, "2003",
        ),
        Reference(
            "krasula2016", "inproceedings",
            "Krasula, Lukáš and Fliegel, Karel and Le Callet, Patrick and Klíma, Miloš",
            "On the accuracy of objective image and video quality models: New methodology for "
            "performance evaluation",
            {"booktitle": "International Conference on Quality of Multimedia Experience"}, "2016",
        ),
        _article(
            "wang2008", "Wang, Zhou and Simoncelli, Eero P.",
            "Maximum differentiation (MAD) competition: A methodology for comparing "
            "computational models of perceptual quantities", "Journal of Vision", "8", "12", "",
            "2008",
        ),
        Reference(
            "srqa", "misc", "{The srqa authors}",
            "srqa: Perceptual quality assessment for image super-resolution",
            {"note": f"version {__version__}"}, "2026",
        ),
    )
}  # fmt: skip


def plain_list(keys: Iterable[str]) -> str:
    """A numbered list in Markdown."""
    return "".join(f"{k}. {REFERENCES[key].plain()}\n" for k, key in enumerate(keys, 1))


def bibliography(keys: Iterable[str]) -> str:
    """The entries of a .bib file."""
    return "\n".join(REFERENCES[key].bibtex() for key in keys)
