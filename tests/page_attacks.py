"""What students may put into a notebook so that a script of theirs runs in whoever's browser.

Each attack is a notebook's cells. A script of theirs that runs says `alert(...)`, sets the page's
title, or asks something of OUTSIDE, a server that is not the page's.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

OUTSIDE = "http://OUTSIDE"
RUN = "alert(1)"
IMG = f"<img src=x onerror={RUN}>"
SCRIPT = f"<script>{RUN}</script>"
SVG = "http://www.w3.org/2000/svg"
PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9"
    "awAAAABJRU5ErkJggg=="
)
Cells = list[dict[str, Any]]


def text(source: str, **more: Any) -> Cells:
    return [{"cell_type": "markdown", "metadata": {}, "source": source} | more]


def code(*outputs: dict[str, Any], source: str = "pass", **metadata: Any) -> Cells:
    return [
        {
            "cell_type": "code",
            "execution_count": 1,
            "metadata": metadata,
            "source": source,
            "outputs": list(outputs),
        }
    ]


def shown(data: dict[str, Any], **metadata: Any) -> Cells:
    return code({"output_type": "display_data", "data": data, "metadata": metadata})


def html(value: str) -> Cells:
    return shown({"text/html": value})


def printed(value: str) -> Cells:
    return code({"output_type": "stream", "name": "stdout", "text": value})


def error(ename: str, evalue: str, *traceback: str) -> Cells:
    said = {"ename": ename, "evalue": evalue, "traceback": list(traceback)}
    return code({"output_type": "error"} | said)


def encoded(value: str) -> str:
    return b64encode(value.encode()).decode()


ATTACKS: dict[str, Cells] = {
    # what is said about outputs and cells
    "width": shown({"image/png": "broken"}, **{"image/png": {"width": f"1 onerror={RUN}"}}),
    "height": shown({"image/png": "broken"}, **{"image/png": {"height": f"1 onerror={RUN}"}}),
    "jpeg-width": shown({"image/jpeg": "broken"}, **{"image/jpeg": {"width": f"1\tonerror={RUN}"}}),
    "size-of-all": shown({"image/png": "broken"}, width=f"1 onerror={RUN}"),
    "unconfined": shown(
        {"image/png": "broken"}, **{"image/png": {"unconfined": 1, "height": f"1/onerror={RUN}"}}
    ),
    "alt": shown({"image/png": "broken"}, **{"image/png": {"alt": f'" onerror="{RUN}'}}),
    "picture-data": shown({"image/jpeg": f'broken" onerror="{RUN}" x="'}),
    "filenames": shown(
        {"image/jpeg": "broken"}, filenames={"image/jpeg": f'x" onerror="{RUN}" y="'}
    ),
    "filename-elsewhere": shown(
        {"image/png": "broken"}, filenames={"image/png": f"{OUTSIDE}/filename.png"}
    ),
    "isolated": shown(
        {"text/html": SCRIPT.replace("1", "document.domain")}, **{"text/html": {"isolated": True}}
    ),
    "tags": code(source="1", tags=[f'"><img src=x onerror="{RUN}">', f'" onclick="{RUN}']),
    "cell-id": [code()[0] | {"id": f'x" onmouseover="{RUN}" y="'}],
    "grade-id": [
        code(
            nbgrader={
                "grade_id": f'"><img src=x onerror={RUN}>',
                "grade": True,
                "points": 1,
                "score": 0,
            }
        )[0]
    ],
    "grade-id-in-list": [
        code(
            nbgrader={
                "grade_id": f'x" autofocus onfocus="{RUN}',
                "grade": True,
                "solution": True,
                "score": 0,
                "points": 1,
            }
        )[0]
    ],
    "language": code(source=IMG, magics_language=f"html{IMG}"),
    "execution-count": [code()[0] | {"execution_count": 1, "metadata": {"title": IMG}}],
    # kinds of output
    "javascript": shown({"application/javascript": RUN}),
    "widget-view": shown(
        {"application/vnd.jupyter.widget-view+json": {"model_id": f"</script>{SCRIPT}"}}
    ),
    "widget-view-comment": shown(
        {"application/vnd.jupyter.widget-view+json": {"model_id": f"<!--<script></script>{SCRIPT}"}}
    ),
    "mermaid": shown({"text/vnd.mermaid": f"graph TD; A[{IMG}]"}),
    "mermaid-json": shown({"application/vnd.mermaid+json": f"</pre>{IMG}", "text/plain": IMG}),
    "plotly": shown(
        {"application/vnd.plotly.v1+json": {"layout": {"title": IMG}}, "text/html": IMG}
    ),
    "unknown-kind": shown({f"text/x-{IMG}": IMG, "text/plain": IMG}),
    "pdf": shown({"application/pdf": encoded(IMG)}),
    "svg-output": shown(
        {"image/svg+xml": f"<svg xmlns='http://www.w3.org/2000/svg' onload={RUN!r}/>"}
    ),
    "svg-foreign": shown(
        {
            "image/svg+xml": f"<svg xmlns='http://www.w3.org/2000/svg'><foreignObject>{SCRIPT}</foreignObject></svg>"
        }
    ),
    "svg-fetches": shown(
        {"image/svg+xml": f"<svg xmlns='{SVG}'><image href='{OUTSIDE}/svg.png'/></svg>"}
    ),
    "html-in-lines": shown({"text/html": ["<img src=x ", f"onerror={RUN}>"]}),
    "markdown-output": shown({"text/markdown": f"[x](javascript:{RUN}) {IMG}"}),
    "latex-href": shown({"text/latex": rf"$\href{{javascript:{RUN}}}{{click}}$"}),
    "latex-markup": shown({"text/latex": rf"$\text{{{IMG}}}$ {IMG}"}),
    "latex-unicode": text(rf"$\unicode{{{IMG}}} \class{{x}}{{y}} \cssId{{notebook}}{{z}}$"),
    "latex-data": text(rf"$\htmlData{{x=1 onclick={RUN}}}{{y}} \style{{position:fixed}}{{x}}$"),
    "latex-colour": text(rf"$\color{{red' onclick='{RUN}}}{{x}}$ $\textcolor{{{IMG}}}{{y}}$"),
    "latex-environment": text(rf"\begin{{align}}\text{{</math>{IMG}}}&\end{{align}}"),
    "latex-raw": text(f"$</math>{IMG}$ $$<mtext><style>{IMG}$$"),
    # texts and terminal codes
    "stream": printed(f'{IMG}\x1b[31;1m{IMG}\x1b[38;5;"onclick={RUN}//m x'),
    "hyperlink-code": printed(f"\x1b]8;;javascript:{RUN}\x07link\x1b]8;;\x07"),
    "title-code": printed("\x1b]0;<title>taken</title>\x07\x1b[2J"),
    "error-name": error(IMG, IMG),
    "traceback": error("E", "e", f"\x1b[31m{IMG}\x1b[0m", f"</pre>{SCRIPT}"),
    "code-as-output": code(source=f"'''</pre>{SCRIPT}{IMG}'''"),
    "raw": [{"cell_type": "raw", "metadata": {"raw_mimetype": "text/html"}, "source": IMG}],
    "raw-unnamed": [{"cell_type": "raw", "metadata": {}, "source": SCRIPT + IMG}],
    # HTML
    "script": html(SCRIPT),
    "img": html(IMG),
    "slashes": html(f"<img/src='x'/onerror={RUN}>"),
    "form-feed": html(f"<img\x0csrc=x\x0conerror={RUN}>"),
    "newlines": html(f"<img\nsrc=x\nonerror\n=\n{RUN}>"),
    "upper-case": html(f"<ImG SrC=x OnErRoR={RUN}>"),
    "unclosed": html(f"<img src=x onerror={RUN} "),
    "double-bracket": html(f"<<script>{RUN}//<</script>"),
    "svg-inline": html(f"<svg onload={RUN}>"),
    "svg-animate": html(f"<svg><animate onbegin={RUN} attributeName=x dur=1s></svg>"),
    "svg-script": html(f"<svg><script>{RUN}</script></svg>"),
    "svg-link": html(f"<svg><a xlink:href='javascript:{RUN}'><text y=20>x</text></a></svg>"),
    "math-link": html(f"<math><mrow href='javascript:{RUN}'><mi>x</mi></mrow></math>"),
    "details": html(f"<details open ontoggle={RUN}><summary>x</summary></details>"),
    "autofocus": html(f"<input autofocus onfocus={RUN}>"),
    "tabindex": html(f"<p tabindex=0 autofocus onfocus={RUN}>x</p>"),
    "hover": html(f"<p onmouseover={RUN} onclick={RUN}>x</p>"),
    "audio": html(f"<audio src=x onerror={RUN}></audio><video><source onerror={RUN}></video>"),
    "body-handler": html(f"<body onload={RUN} onpageshow={RUN}>"),
    "marquee": html(f"<marquee onstart={RUN}>x</marquee>"),
    "srcdoc": html(f"<iframe srcdoc='{SCRIPT}'></iframe>"),
    "iframe-script": html(f"<iframe src='javascript:parent.{RUN}'></iframe>"),
    "iframe-data": html(f"<iframe src='data:text/html,{SCRIPT}'></iframe>"),
    "iframe-elsewhere": html(f"<iframe src='{OUTSIDE}/frame'></iframe>"),
    "object": html(
        f"<object data='data:text/html,{SCRIPT}'></object><embed src='javascript:{RUN}'>"
    ),
    "refresh": html(f"<meta http-equiv=refresh content='0;url={OUTSIDE}/refresh'>"),
    "base": html(f"<base href='{OUTSIDE}/base/'><img src=base.png>"),
    "stylesheet": html(f"<link rel=stylesheet href='{OUTSIDE}/sheet.css'>"),
    "import": html(f"<style>@import '{OUTSIDE}/import.css'; body {{background: red}}</style>"),
    "style": html(f"<p style='background: url({OUTSIDE}/style.png); position: fixed'>x</p>"),
    "style-colour": html(
        f"<p style='color: red; background-color: url({OUTSIDE}/colour.png)'>x</p>"
    ),
    "image-elsewhere": html(f"<img src='{OUTSIDE}/image.png'>"),
    "srcset": html(f"<img srcset='{OUTSIDE}/srcset.png 1x'>"),
    "formgraders-path": html("<img src='/formgrader?path=evil'><img src='../next'>"),
    "form": html(
        f"<form action='{OUTSIDE}/form'><button formaction='javascript:{RUN}'>x</button></form>"
    ),
    "link": html(f"<a href='javascript:{RUN}'>x</a>"),
    "link-entity": html(f"<a href='java&#115;cript&colon;{RUN}'>x</a>"),
    "link-tab": html(f"<a href='java\tscript:{RUN}'>x</a><a href='\x01javascript:{RUN}'>x</a>"),
    "link-newline": html(f"<a href='java&NewLine;script:{RUN}'>x</a>"),
    "link-data": html(f"<a href='data:text/html,{SCRIPT}'>x</a>"),
    "link-ping": html(f"<a href='#x' ping='{OUTSIDE}/ping'>x</a>"),
    "vbscript": html(
        f"<a href='vbscript:{RUN}'>x</a><a href='blob:x'>y</a><a href='file:///'>z</a>"
    ),
    "relative-page": html("<a href='evil.html'>x</a><a href='/formgrader?path=evil'>y</a>"),
    "fullwidth": html(f"＜img src=x onerror={RUN}＞ \ufeff<\u200bimg src=x onerror={RUN}>{IMG}"),
    "surrogates": html(f"\ud83d<img src=x onerror={RUN}>\udc00"),
    "nul": html(f"<\x00img src=x onerror={RUN}><img \x00src=x on\x00error={RUN}>{IMG}"),
    # what changes its meaning when it is read again
    "mutation-math": html(f"<math><mtext><table><mglyph><style><img src=x onerror={RUN}>"),
    "mutation-style": html(f"<svg></p><style><a id='</style><img src=x onerror={RUN}>'>"),
    "mutation-form": html(
        f"<form><math><mtext></form><form><mglyph><svg><mtext><style><path id='</style>{IMG}'>"
    ),
    "mutation-noscript": html(f"<noscript><p title='</noscript>{IMG}'>"),
    "mutation-textarea": html(f"<textarea><p title='</textarea>{IMG}'></textarea>"),
    "mutation-title": html(f"<title><p title='</title>{IMG}'><svg><title><style></title>{IMG}"),
    "mutation-comment": html(f"<!--><img src=x onerror={RUN}>--><!--!>{IMG}<![CDATA[{IMG}]]>"),
    "mutation-template": html(f"<template>{IMG}</template><xmp><p title='</xmp>{IMG}'>"),
    "mutation-select": html(f"<select><template><style></select>{IMG}</style>"),
    "mutation-plaintext": html(f'<p title="\'><img src=x onerror={RUN}>">x</p><plaintext>{IMG}'),
    "mutation-attribute": html(f"<a title='&quot;><img src=x onerror={RUN}>'>x</a>"),
    "mutation-backtick": html(f"<a title='``onmouseover={RUN}' href='#``onclick={RUN}'>x</a>"),
    "style-cut": html(f"<sty<style></style>le><img src=x onerr<style></style>or={RUN}>"),
    "clobbering": html("<a id=location></a><img name=cookie><p id=statusmessage class=score>x</p>"),
    # Markdown
    "markdown-html": text(SCRIPT + IMG),
    "markdown-block": text(f"<div\nonclick={RUN}>\n\n{IMG}\n</div>"),
    "markdown-link": text(f"[x](javascript:{RUN}) [y](<java\nscript:{RUN}>) [z](JaVaScRiPt:{RUN})"),
    "markdown-reference": text(f"[x][a] ![y][a]\n\n[a]: javascript:{RUN} '\" onclick=\"{RUN}'"),
    "markdown-autolink": text(f"<javascript:{RUN}> <data:text/html,{SCRIPT}>"),
    "markdown-title": text(f"[x](https://example.org '\" onmouseover=\"{RUN}')"),
    "markdown-alt": text(f'![" onerror="{RUN}](x.png) ![{IMG}](y.png)'),
    "markdown-heading": text(f'# x" onclick="{RUN}\n\n## <a href="javascript:{RUN}">x</a> {IMG}'),
    "markdown-picture": text(f"![x]({OUTSIDE}/markdown.png) ![y](//OUTSIDE/markdown.png)"),
    "markdown-table": text(f"|{IMG}|b|\n|-|-|\n|[x](javascript:{RUN})|{SCRIPT}|"),
    "markdown-fence": text(f'```"><img src=x onerror={RUN}>\n{IMG}\n```'),
    "markdown-language": text(f"```html\n{SCRIPT}\n```\n\n```x{IMG}\ny\n```"),
    "markdown-mermaid": text(f"```mermaid\n</pre>{IMG}\n```"),
    "markdown-in-attribute": text(f"<div title='\n\n$x' onclick={RUN}//$ {IMG}\n\n'>x</div>"),
    "markdown-math-attribute": text(f"<p title='\n\n$\\text{{'><img src=x onerror={RUN}>}}$\n\n'>"),
    "attachment": text(
        "![x](attachment:a)", attachments={"a": {f'image/png" onerror="{RUN}': "x"}}
    ),
    "attachment-name": text(
        f'![x](attachment:a"onerror="{RUN})',
        attachments={f'a"onerror="{RUN}': {"image/png": "broken"}},
    ),
    "attachment-data": text(
        "![x](attachment:a)", attachments={"a": {"image/png": f'x" onerror="{RUN}'}}
    ),
    "attachment-html": text(
        "<iframe src='attachment:a'></iframe>[x](attachment:a)",
        attachments={"a": {"text/html": encoded(SCRIPT)}},
    ),
    "attachment-svg": text(
        "![x](attachment:a)",
        attachments={"a": {"image/svg+xml": encoded(f"<svg onload={RUN}>")}},
    ),
}

# What is said about the whole notebook.
ABOUT = {
    "title": f"</title>{SCRIPT}",
    "language_info": {"name": f"html{IMG}", "pygments_lexer": "html"},
    "widgets": {
        "application/vnd.jupyter.widget-state+json": {
            "state": {"x": {"model_name": f"</script>{SCRIPT}<!--<script>"}},
            "version_major": 2,
        }
    },
}

# What must still be seen.
HONEST: Cells = [
    *shown({"image/png": PNG}, **{"image/png": {"width": 40, "height": 30}}),
    *shown({"image/svg+xml": "<svg xmlns='http://www.w3.org/2000/svg' width='50' height='20'/>"}),
    *text("![pasted](attachment:it.png)", attachments={"it.png": {"image/png": PNG}}),
    *html(
        "<style scoped>.dataframe {color: red}</style><table border='1' class='dataframe'>"
        "<tr style='text-align: right;'><th>mean</th></tr><tr><td>1.5</td></tr></table>"
    ),
    *text("# A heading with $x^2$\n\n$$\\frac{1}{2}$$\n\n[docs](https://example.org/a?b=1&c=2)"),
    *text("\\begin{align}a &= b \\\\ c &= d\\end{align}\n\n| a | b |\n|:-:|---|\n| **1** | `2` |"),
    *error("ValueError", "no", "\x1b[0;31mValueError\x1b[0m: no", "\x1b[38;5;28mdef\x1b[39m"),
    *code(source="def area(r):\n    return 3 * r ** 2"),
    *printed("5 < 6 & 7\n"),
    *shown({"text/latex": "$\\displaystyle \\int x$", "text/plain": "Integral(x)"}),
]
