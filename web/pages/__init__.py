"""The pages: the ledger for people, as HTML that is made here and works without JavaScript.

A page is one function with a route in the file of its subject (`page.py` has `PageRoutes.page`), a template under
`templates/`, and its words in Chinese in `chinese.py`. What it shows is JSON at the same address with `.json`. What is
done is a form, posted to a route that `PageRoutes.act` names. It may import what the rest of `web/` may.
"""
