"""How a request to the API is read and answered: keys, parameters, lists, expansion, errors."""
